/// The value of one of a call's six arguments, written `I=V`; V may be negative, as file descriptors are.
struct CallArgument {
  let index: Int
  let value: UInt64

  /// - Throws: A usage failure that says which half is wrong.
  static func parse(_ text: String) throws(CommandFailure) -> CallArgument {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw .usage("--arg", "'\(text)' has no '='", remedy: "say it as I=V, for example 0=3")
    }
    guard let index = Int(parts[0]), (0..<6).contains(index) else {
      throw .usage("--arg", "'\(parts[0])' is no argument", remedy: "a system call has the arguments 0 to 5")
    }
    guard let value = (try? Address(parsing: parts[1]))?.value ?? Int64(parts[1]).map(UInt64.init(bitPattern:)) else {
      throw .usage(
        "--arg", "'\(parts[1])' is no value of 64 bits", remedy: "say it as 0x… or as a decimal number")
    }
    return CallArgument(index: index, value: value)
  }
}
