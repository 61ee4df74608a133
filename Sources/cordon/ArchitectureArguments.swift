// Conformances of public types are public themselves.
public import ArgumentParser
public import FilterCompiler

extension Architecture: ExpressibleByArgument {}

extension AuditArchitecture: ExpressibleByArgument {
  /// Reads one of the names that ``known`` architectures have, or an `AUDIT_ARCH_*` value in hexadecimal with `0x`.
  public init?(argument: String) {
    if let value = address(parsing: argument) {
      guard let value = UInt32(exactly: value) else { return nil }
      self.init(rawValue: value)
    } else {
      self.init(name: argument)
    }
  }

  /// The name, for help texts.
  public var defaultValueDescription: String { description }

  /// All names, for help texts and shell completion.
  public static var allValueStrings: [String] { known.compactMap(\.name) }
}
