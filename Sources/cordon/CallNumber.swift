import FilterCompiler
import SyscallPolicy

/// Reads a system call given by number or name.
enum CallNumber {
  /// - Throws: A usage failure for a number that has more than 32 bits, a bad-input failure for an unknown name.
  static func parse(_ text: String, on architecture: AuditArchitecture) throws(CommandFailure) -> UInt32 {
    if let value = address(parsing: text) ?? UInt64(text) {
      guard let number = UInt32(exactly: value) else {
        throw .usage("--nr", "'\(text)' has more than the 32 bits of a system call number")
      }
      return number
    }
    // -1 is what a tracer writes to skip a call, and filters do see it.
    if let negative = Int32(text) { return UInt32(bitPattern: negative) }
    if let number = SyscallNames.number(of: text, on: architecture) { return number }
    guard text.first?.isLetter == true || text.first == "_" else {
      throw .usage("--nr", "'\(text)' is neither a number nor a name")
    }
    let names = (0..<1024).compactMap { SyscallNames.name(of: $0, on: architecture) }
    let near = NearNames.of(text, among: names).map { "'\($0)'" }.joined(separator: ", ")
    throw .badInput(
      "--nr", "\(architecture) has no system call '\(text)', or libseccomp does not know it",
      remedy: near.isEmpty ? "give its number" : "did you mean \(near)?")
  }
}
