import FilterCompiler
import Testing

@Suite struct ProveAndDiffCommandTests {
  private func filter(_ start: UInt64, _ end: UInt64) throws -> [UInt8] {
    var map = RegionMap(default: .allow)
    try map.insert(AddressRange(start: start, end: end), .trap)
    return try map.compile().encoded()
  }

  /// Answers `errno 1` to one call alone, of an architecture without a name.
  private func strange() throws -> [UInt8] {
    try Program(
      [
        Operation.loadData(.architecture), .branch(.equal, .constant(0xc00000b5), jt: 0, jf: 5),
        .loadData(.argumentHigh(3)), .branch(.equal, .constant(7), jt: 0, jf: 3), .loadData(.number),
        .branch(.equal, .constant(.max), jt: 0, jf: 1), .answer(Action(.errno, data: 1)), .answer(Action(.allow)),
      ].map(\.instruction)
    ).encoded()
  }

  /// What `cordon check` says to the command lines in an outcome.
  private func pasted(_ outcome: CordonBinary.Outcome, _ folder: borrowing TemporaryFolder) async throws -> [Substring]
  {
    var verdicts: [Substring] = []
    for line in outcome.lines where line.hasPrefix("  cordon check ") {
      let answer = try await CordonBinary.shell("\"$cordon\"" + line.dropFirst("  cordon".count), in: folder.path)
      try #require(answer.status == 0, "\(answer.error)")
      verdicts.append(answer.lines[0])
    }
    return verdicts
  }

  @Test func whatCompileWritesIsProved() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      set -e
      "$cordon" compile --trap 0x401000-0x402000 --dont-care 0x402000-0x403000 -f raw -o f
      "$cordon" prove f --trap 0x401000-0x402000 --dont-care 0x402000-0x403000
      "$cordon" compile --arch aarch64 --default trap --allow 0x401000-0x402000 -f raw |
        "$cordon" prove - --arch aarch64 --default trap --allow 0x401000-0x402000
      "$cordon" diff f f
      """, in: folder.path)
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(
      outcome.output
        == "f decides every call as specified\nstandard input decides every call as specified\n"
        + "f and f decide every call alike\n")
  }

  @Test(arguments: [
    (
      "0x401000-0x402000", "0x402001",
      "straddles the end of the region 0x401000-0x402000 (trap), so it gets the default"
    ),
    ("0x401001-0x402001", "0x401002", "straddles the start of the region 0x401001-0x402001 (trap), so it gets"),
    ("0x401000-0x402002", "0x402002", "lies in the region 0x401000-0x402002: trap."),
    ("0x402000-0x402002", "0x401002", "lies in no region: the default is allow."),
  ])
  func aDifferenceIsShownWithItsPlace(range: String, pointer: String, place: String) async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(filter(0x401000, 0x402001), to: "a filter's")
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["prove", "a filter's", "--trap", range], in: folder.path)
    #expect(outcome.status == 1 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(outcome.lines[0].hasPrefix("a filter's does not decide as specified: it answers "))
    #expect(outcome.lines[1].contains(" 'a filter'\\''s' --nr 0 --ip \(pointer) --arch x86_64"), "\(outcome.output)")
    #expect(outcome.lines[2].contains(place), "\(outcome.output)")
    let verdict = try #require(try await pasted(outcome, folder).first)
    #expect(outcome.lines[0].contains("it answers \(verdict), and "))
  }

  @Test func aProfileIsASpecificationToo() async throws {
    let folder = try TemporaryFolder()
    let profile = try folder.write(
      Array(
        "default: errno EPERM\nallowed-calls: exit_group\nregions:\n  - {code: 0x1000-0x2000, disposition: allow}\n"
          .utf8),
      to: "p.yaml")
    let filter = folder.file("p.bpf")
    try #require(await CordonBinary.run("compile", profile, "-f", "raw", "-o", filter).status == 0)
    let proved = try await CordonBinary.run("prove", filter, profile)
    #expect(proved.status == 0 && proved.output.hasSuffix("decides every call as specified\n"), "\(proved.error)")
    let widened = try await CordonBinary.run("prove", filter, profile, "--allow", "0x3000-0x4000")
    #expect(widened.status == 1)
    #expect(widened.output.contains("it answers errno 1, and allow is specified"), "\(widened.output)")
    #expect(try await CordonBinary.run("prove", filter, profile, "--default", "trap").status == 64)
  }

  @Test func diffShowsTheOneCallOfAll() async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(strange(), to: "a")
    _ = try folder.write(Program([Operation.answer(Action(.allow)).instruction]).encoded(), to: "b")
    let outcome = try await CordonBinary.run(CordonBinary.path, ["diff", "a", "b"], in: folder.path)
    #expect(outcome.status == 1)
    #expect(
      outcome.lines.dropLast() == [
        "a and b differ: errno 1 and allow",
        "  cordon check a --nr 4294967295 --ip 0x0 --arch 0xc00000b5 --arg 3=0x700000000",
        "  cordon check b --nr 4294967295 --ip 0x0 --arch 0xc00000b5 --arg 3=0x700000000",
      ])
    #expect(try await pasted(outcome, folder) == ["errno 1", "allow"])
  }

  @Test func aStackIsProvedAsAWhole() async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(filter(0x401000, 0x402000), to: "old")
    _ = try folder.write(filter(0x501000, 0x502000), to: "new")
    let ranges = ["--trap", "0x401000-0x402000", "--trap", "0x501000-0x502000"]
    let both = try await CordonBinary.run(
      CordonBinary.path, ["prove", "old", "--stacked", "new"] + ranges, in: folder.path)
    #expect(both.status == 0 && both.output == "the stack of 2 filters decides every call as specified\n")
    let one = try await CordonBinary.run(CordonBinary.path, ["prove", "old"] + ranges, in: folder.path)
    #expect(one.status == 1 && one.output.contains("--ip 0x501002 "))
  }

  @Test(arguments: ["prove", "diff"])
  func whatCannotBeReasonedAboutIsNoYes(verb: String) async throws {
    let program = try Program(
      [Operation.loadData(.number), .copyToIndex, .compute(.multiply, .index), .answerAccumulator].map(\.instruction))
    let folder = try TemporaryFolder()
    let file = try folder.write(program.encoded(), to: "f")
    let arguments = verb == "prove" ? [verb, file, "--default", "allow"] : [verb, file, file]
    let outcome = try await CordonBinary.run(CordonBinary.path, arguments)
    #expect(outcome.status == 65 && outcome.output.isEmpty)
    #expect(
      outcome.error.hasPrefix("cordon: \(file): offset 16: cannot reason about instruction 2: "), "\(outcome.error)")
  }

  @Test(arguments: [
    ["prove", "-"], ["prove"], ["diff", "-"], ["diff", "-", "-"], ["prove", "-", "--trap", "x"],
    ["prove", "-", "--default", "maybe"],
  ])
  func wrongUsage(arguments: [String]) async throws {
    let outcome = try await CordonBinary.run(CordonBinary.path, arguments, input: filter(0x1000, 0x2000))
    #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count <= 2)
  }

  @Test(arguments: ["prove", "diff"])
  func helpHasAnExample(verb: String) async throws {
    let outcome = try await CordonBinary.run("help", verb)
    #expect(outcome.status == 0 && outcome.output.contains("Examples:\n  cordon \(verb) "))
  }
}
