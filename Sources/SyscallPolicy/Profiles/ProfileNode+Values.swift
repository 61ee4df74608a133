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
    let names = ["allow", "trap", "errno", "kill", "kill-thread", "log", "notify", "trace", "policy"]
    let near = names.contains(words.first ?? "") ? [] : NearNames.of(words.first ?? "", among: names)
    throw error(
      "'\(text)' is no disposition",
      remedy: near.first.map { "did you mean '\($0)'?" }
        ?? "allow, trap, errno NAME, kill, kill-thread, log, notify, policy NAME; trap and trace with a number")
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
      throw error(
        "\(meaning) is a number from 0 to \(largest), not '\(text ?? "")'",
        remedy: "write it in decimal, or in hexadecimal as 0x…")
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

  /// A call of one of a machine's tables, by name or number: `read`, `39`; of another than its own, `i386:read`, `x32:39`.
  func call(on machine: Architecture) throws(ProfileError) -> (table: CallTable, number: UInt32) {
    let text = try scalar("a system call")
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      let own = CallTable(machine)
      return (own, try call(in: own, text))
    }
    let possible = CallTable.possible(on: machine)
    guard let table = possible.first(where: { $0.rawValue == parts[0] }) else {
      throw error(
        "'\(parts[0])' is no architecture that \(machine) code can make calls of",
        remedy: "it can make those of \(possible.map(\.rawValue).joined(separator: ", "))")
    }
    return (table, try call(in: table, String(parts[1])))
  }

  /// The number of a system call of `table`, given by name or number.
  func call(in table: CallTable) throws(ProfileError) -> UInt32 { try call(in: table, scalar("a system call")) }

  private func call(in table: CallTable, _ text: String) throws(ProfileError) -> UInt32 {
    if text.first?.isNumber == true {
      guard let value = address(parsing: text) ?? UInt64(text), let number = UInt32(exactly: value) else {
        throw error("'\(text)' is no system call number", remedy: "a number has at most 32 bits")
      }
      // x32's own numbers are as good as those with its mark.
      return table == .x32 && number < table.numbers.lowerBound ? number | table.numbers.lowerBound : number
    }
    guard let number = table.number(of: text) else { throw unknownCall(text, [table]) }
    return number
  }

  /// What is wrong with a name that no table has.
  func unknownCall(_ text: String, _ tables: [CallTable]) -> ProfileError {
    var names: Set<String> = []
    for table in tables { names.formUnion((0..<1024).compactMap { table.name(of: $0) }) }
    let near = NearNames.of(text, among: names.sorted()).map { "'\($0)'" }.joined(separator: ", ")
    let known = tables.map(\.rawValue).joined(separator: ", ")
    return error(
      (tables.count == 1 ? "\(known) has no system call" : "none of \(known) has a system call")
        + " '\(text)', or libseccomp does not know it",
      remedy: near.isEmpty ? "give its number" : "did you mean \(near)?")
  }
}

extension CallTable {
  /// The number of a call of the table, as the kernel reports it.
  func number(of name: String) -> UInt32? {
    SyscallNames.number(of: self == .x32 ? "x32:\(name)" : name, on: architecture)
  }

  /// The name of a call of the table, whose number comes without the mark of x32.
  fileprivate func name(of number: UInt32) -> String? {
    guard let name = SyscallNames.name(of: number | numbers.lowerBound, on: architecture) else { return nil }
    return self == .x32 ? String(name.dropFirst(4)) : name
  }
}
