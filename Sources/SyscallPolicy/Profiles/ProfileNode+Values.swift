internal import FilterCompiler

extension ProfileNode {
  /// The largest error number that a system call returns (`MAX_ERRNO` in the kernel).
  private static let largestErrno = 4095

  /// A disposition: `allow`, `trap`, `trap N`, `errno NAME`, `errno N`, `kill`, `kill-thread`, `log`, `notify`, `trace N`.
  func disposition() throws(ProfileError) -> Disposition {
    let text = try scalar("a disposition")
    let words = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
    let data = words.dropFirst().first
    switch (words.first, words.count) {
    case ("allow", 1): return .allow
    case ("log", 1): return .log
    case ("notify", 1): return .notify
    case ("kill", 1): return .killProcess
    case ("kill-thread", 1): return .killThread
    case ("trap", 1): return .trap
    case ("trap", 2): return .trap(data: try number(data, "the data of a trap", upTo: .max))
    case ("trace", 2): return .trace(try number(data, "the message for a tracer", upTo: .max))
    case ("errno", 2): return .errno(try errno(data ?? ""))
    case ("errno", 1): throw error("'errno' says which one", remedy: "for example 'errno EPERM'")
    case ("trace", 1): throw error("'trace' says with which message", remedy: "for example 'trace 1'")
    default: break
    }
    let names = ["allow", "trap", "errno", "kill", "kill-thread", "log", "notify", "trace"]
    let near = names.contains(words.first ?? "") ? [] : NearNames.of(words.first ?? "", among: names)
    throw error(
      "'\(text)' is no disposition",
      remedy: near.first.map { "did you mean '\($0)'?" }
        ?? "allow, trap, errno NAME, kill, kill-thread, log, notify; trap and trace with a number")
  }

  private func errno(_ text: String) throws(ProfileError) -> UInt16 {
    if text.first?.isNumber == true { return try number(text, "an error number", upTo: Self.largestErrno) }
    if let number = ErrnoNames.number(of: text) { return number }
    let near = NearNames.of(text, among: ErrnoNames.all).first
    throw error("there is no error '\(text)'", remedy: near.map { "did you mean '\($0)'?" } ?? "errno(3) lists them")
  }

  private func number(_ text: String?, _ meaning: String, upTo largest: Int) throws(ProfileError) -> UInt16 {
    let largest = min(largest, Int(UInt16.max))
    guard let text, let value = address(parsing: text) ?? UInt64(text), value <= UInt64(largest) else {
      throw error("\(meaning) is a number from 0 to \(largest), not '\(text ?? "")'")
    }
    return UInt16(value)
  }

  /// The data of a trap.
  func data() throws(ProfileError) -> UInt16 { try number(scalar("a number"), "the data of a trap", upTo: .max) }

  /// `true` or `false`.
  func truth() throws(ProfileError) -> Bool { try choice("true or false", [("true", true), ("false", false)]) }

  /// A range `0xSTART-0xEND`.
  func range() throws(ProfileError) -> AddressRange {
    let text = try scalar("a range")
    do {
      return try AddressRange(parsing: text)
    } catch .malformedRange {
      throw error(
        "\(RegionError.malformedRange(text))", remedy: "for example 0x7f1234560000-0x7f1234570000; the end is exclusive"
      )
    } catch {
      throw self.error("\(error)", remedy: "a range is 0xSTART-0xEND, and END the first address after it")
    }
  }

  /// A range, or the name of code that is found in a process.
  func code() throws(ProfileError) -> Profile.Code {
    let text = try scalar("a range or a module")
    let bounds = text.split(separator: "-", omittingEmptySubsequences: false)
    let looksLikeMap = bounds.count == 2 && bounds.allSatisfy { $0.count >= 3 && $0.allSatisfy(\.isHexDigit) }
    let isMeantAsRange = text.hasPrefix("0x") || text.hasPrefix("0X") || looksLikeMap
    return isMeantAsRange ? .range(try range()) : .named(text)
  }

  /// The number of a system call of `architecture`, given by name or number.
  func call(on architecture: AuditArchitecture) throws(ProfileError) -> UInt32 {
    let text = try scalar("a system call")
    if text.first?.isNumber == true {
      guard let value = address(parsing: text) ?? UInt64(text), let number = UInt32(exactly: value) else {
        throw error("'\(text)' is no system call number", remedy: "a number has at most 32 bits")
      }
      return number
    }
    if let number = SyscallNames.number(of: text, on: architecture) { return number }
    let names = (0..<1024).compactMap { SyscallNames.name(of: $0, on: architecture) }
    let near = NearNames.of(text, among: names).map { "'\($0)'" }.joined(separator: ", ")
    throw error(
      "\(architecture) has no system call '\(text)', or libseccomp does not know it",
      remedy: near.isEmpty ? "give its number" : "did you mean \(near)?")
  }
}
