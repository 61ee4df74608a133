import Cordon

/// What /proc/self/status says of this process (proc_pid_status(5)).
struct ProcessStatus: Sendable, Hashable {
  private var fields: [Substring: Substring]

  /// - Parameter text: Lines of `Name:\tvalue`.
  init(_ text: String) {
    fields = [:]
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " }
    }
  }

  static func current() -> ProcessStatus { ProcessStatus(KernelFile.text("/proc/self/status") ?? "") }

  /// A field as it stands there.
  subscript(name: Substring) -> String? { fields[name].map(String.init) }

  /// A field that is a decimal number.
  func number(_ name: Substring) -> Int? { fields[name].flatMap { Int($0) } }

  /// Whether a bit of a field of hexadecimal digits is set; nil where there is no such field.
  func bit(_ bit: Int, of name: Substring) -> Bool? {
    fields[name].flatMap { UInt64($0, radix: 16) }.map { $0 >> UInt64(bit) & 1 == 1 }
  }

  /// Whether an effective capability is there (capabilities(7)).
  func has(_ capability: Capability) -> Bool { bit(capability.rawValue, of: "CapEff") ?? false }

  enum Capability: Int {
    case ptrace = 19
    case systemAdministration = 21
  }
}
