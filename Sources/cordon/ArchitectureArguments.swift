// Conformances of public types are public themselves.
public import ArgumentParser
public import FilterCompiler

extension Architecture: ExpressibleByArgument {}

extension AuditArchitecture: ExpressibleByArgument {
  /// Reads one of the names that ``known`` architectures have.
  public init?(argument: String) { self.init(name: argument) }

  /// The name, for help texts.
  public var defaultValueDescription: String { description }

  /// All names, for help texts and shell completion.
  public static var allValueStrings: [String] { known.compactMap(\.name) }
}
