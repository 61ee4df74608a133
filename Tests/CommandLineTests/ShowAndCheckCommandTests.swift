import FilterCompiler
import Testing

@Suite struct ShowAndCheckCommandTests {
  private func filter(_ start: UInt64, _ end: UInt64, _ disposition: Disposition) throws -> [UInt8] {
    var map = RegionMap(default: .allow)
    try map.insert(AddressRange(start: start, end: end), disposition)
    return try map.compile(CompileOptions(allowedNumbers: [39])).encoded()
  }

  @Test func showNamesCallsAndJoinsComparisons() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(filter(0x7f12_3456_0000, 0x7f12_3457_0000, .trap), to: "f")
    let outcome = try await CordonBinary.run("show", file)
    #expect(outcome.status == 0 && outcome.error.isEmpty)
    #expect(outcome.output.contains("if (arch != x86_64) goto "))
    #expect(outcome.output.contains("if (nr == getpid) goto "))
    #expect(outcome.output.contains("if (ip < 0x7f1234560002) goto "))
    #expect(outcome.lines.dropLast().allSatisfy { $0.contains(": ") })
  }

  @Test func showReadsStandardInputAndStacks() async throws {
    let folder = try TemporaryFolder()
    let bytes = try filter(0x1000, 0x2000, .trap)
    let file = try folder.write(bytes, to: "f")
    let outcome = try await CordonBinary.run("show", file, "-", input: bytes)
    #expect(outcome.status == 0)
    #expect(
      outcome.lines.filter { $0.hasPrefix("#") } == [
        "# filter 1 of 2: \(file), 11 instructions", "# filter 2 of 2: standard input, 11 instructions",
      ])
    let twice = try await CordonBinary.run("show", "-", "-", input: bytes)
    #expect(twice.status == 64)
  }

  @Test func checkSaysTheVerdictAndTheWayToIt() async throws {
    let bytes = try filter(0x1000, 0x2000, .trap)
    let outcome = try await CordonBinary.run("check", "-", "--nr", "getppid", "--ip", "0x1002", input: bytes)
    #expect(outcome.status == 0 && outcome.lines[0] == "trap")
    #expect(outcome.lines.contains("# standard input: trap"))
    let path = outcome.lines.filter { $0.contains(": ") && !$0.hasPrefix("#") }
    #expect(path.first?.hasPrefix("0000: ") == true && path.last?.hasSuffix("return trap") == true)
    #expect(!outcome.output.contains("return allow"), "only what is executed is shown")
  }

  @Test(arguments: [
    (["--nr", "110", "--ip", "0x1002"], "trap"), (["--nr", "0x6e", "--ip", "4098"], "trap"),
    (["--nr", "getppid", "--ip", "0x1001"], "allow"), (["--nr", "getppid", "--ip", "0x2000"], "trap"),
    (["--nr", "getppid", "--ip", "0x2001"], "allow"), (["--nr", "getppid"], "allow"),
    (["--nr", "39", "--ip", "0x1002"], "allow"), (["--nr", "39", "--ip", "0x1002", "--arch", "i386"], "trap"),
    (["--nr", "-1", "--ip", "0x1002"], "trap"), (["--nr", "getppid", "--arch", "i386", "--ip", "0x1002"], "trap"),
    (["--nr", "getpid", "--arch", "aarch64", "--ip", "0x1002"], "trap"),
  ])
  func theCallIsWhatItsOptionsSay(options: [String], verdict: String) async throws {
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["check", "-"] + options, input: filter(0x1000, 0x2000, .trap))
    #expect(outcome.status == 0 && outcome.lines[0] == verdict, "\(outcome.error)")
  }

  @Test func argumentsReachTheFilter() async throws {
    // Allows where the whole of argument 1 is -2, and argument 5 has bit 40.
    let program = try Program(
      [
        Operation.loadData(.argumentLow(1)), .branch(.equal, .constant(0xffff_fffe), jt: 0, jf: 5),
        .loadData(.argumentHigh(1)), .branch(.equal, .constant(.max), jt: 0, jf: 3), .loadData(.argumentHigh(5)),
        .branch(.anyBit, .constant(0x100), jt: 0, jf: 1), .answer(Action(.allow)), .answer(Action(.errno, data: 22)),
      ].map(\.instruction))
    for (arguments, verdict) in [
      (["1=-2", "5=0x10000000000"], "allow"), (["1=0xfffffffffffffffe", "5=1099511627776"], "allow"),
      (["1=4294967294", "5=0x10000000000"], "errno 22"), (["1=-2"], "errno 22"), ([], "errno 22"),
    ] {
      let outcome = try await CordonBinary.run(
        CordonBinary.path, ["check", "-", "--nr", "0"] + arguments.flatMap { ["--arg", $0] }, input: program.encoded())
      #expect(outcome.lines.first == verdict[...], "\(arguments) \(outcome.error)")
    }
  }

  @Test func ofAStackTheStrictestDecides() async throws {
    let folder = try TemporaryFolder()
    let files = [
      try folder.write(filter(0x1000, 0x3000, .errno(1)), to: "a"),
      try folder.write(filter(0x2000, 0x4000, .errno(2)), to: "b"),
      try folder.write(filter(0x3000, 0x4000, .log), to: "c"),
    ]
    for (pointer, verdict, decider) in [
      ("0x1002", "errno 1", "# filter 1 of 3, \(files[0]): errno 1, which decides"),
      ("0x2002", "errno 2", "# filter 2 of 3, \(files[1]): errno 2, which decides"),
      ("0x3002", "errno 2", "# filter 2 of 3, \(files[1]): errno 2, which decides"),
      ("0x4002", "allow", "# filter 3 of 3, \(files[2]): allow"),
    ] {
      let outcome = try await CordonBinary.run(CordonBinary.path, ["check"] + files + ["--nr", "0", "--ip", pointer])
      #expect(outcome.lines.first == verdict[...])
      #expect(outcome.lines.contains(decider[...]), "\(outcome.output)")
    }
  }

  @Test(arguments: [
    ["check", "-"], ["check", "--nr", "1"], ["check", "-", "--nr", "%%"], ["check", "-", "--nr", "4294967296"],
    ["check", "-", "--nr", "1", "--ip", "x"], ["check", "-", "--nr", "1", "--arch", "vax"],
    ["check", "-", "--nr", "1", "--arg", "6=0"], ["check", "-", "--nr", "1", "--arg", "0"],
    ["check", "-", "--nr", "1", "--arg", "0=1", "--arg", "0=2"], ["show"], ["show", "-", "--loud"], ["bogus"],
    ["help", "bogus"],
  ])
  func wrongUsage(arguments: [String]) async throws {
    let outcome = try await CordonBinary.run(CordonBinary.path, arguments, input: filter(0x1000, 0x2000, .trap))
    #expect(outcome.status == 64 && outcome.output.isEmpty)
    #expect(outcome.error.hasPrefix("cordon: ") && outcome.error.split(separator: "\n").count <= 2, "\(outcome.error)")
  }

  @Test(arguments: [
    ("7=3", "'7' is no argument\na system call has the arguments 0 to 5"),
    ("-1=3", "'-1' is no argument\na system call has the arguments 0 to 5"),
    ("3", "'3' has no '='\nsay it as I=V, for example 0=3"),
    ("0=many", "'many' is no value of 64 bits\nsay it as 0x… or as a decimal number"),
  ])
  func aWrongArgumentIsExplained(argument: String, words: String) async throws {
    let outcome = try await CordonBinary.run(
      "check", "-", "--nr", "1", "--arg=\(argument)", input: filter(0x1000, 0x2000, .trap))
    #expect(outcome.status == 64 && outcome.error == "cordon: --arg: \(words)\n", "\(outcome.error)")
  }

  @Test(arguments: ["show", "check"])
  func whatIsNoFilterIsRefusedWithItsOffset(verb: String) async throws {
    let good = try filter(0x1000, 0x2000, .trap)
    var strange = good
    strange[16] = 0xff
    var endless = good
    endless.removeLast(16)
    let tooLong = (0..<5000).flatMap { _ -> [UInt8] in [6, 0, 0, 0, 0, 0, 0, 0] }
    let cases: [([UInt8], String)] = [
      (Array(good.dropLast(3)), "offset \(good.count - 8): the last instruction has 5 of its 8 bytes"),
      ([], "offset 0: there is no instruction"), (strange, "offset 16: seccomp does not allow the opcode 0xff"),
      (endless, "offset "), (Array("#!/bin/sh\necho this is no filter\n".utf8), "offset 0: "),
      (tooLong, "offset 32768: "),
    ]
    for (bytes, words) in cases {
      let outcome = try await CordonBinary.run(
        CordonBinary.path, [verb, "-"] + (verb == "check" ? ["--nr", "1"] : []), input: bytes)
      #expect(outcome.status == 65 && outcome.output.isEmpty)
      #expect(outcome.error.hasPrefix("cordon: standard input: \(words)"), "\(outcome.error)")
    }
    let missing = try await CordonBinary.run(
      CordonBinary.path, [verb, "/no/such/file"] + (verb == "check" ? ["--nr", "1"] : []))
    #expect(missing.status == 65 && missing.error.hasPrefix("cordon: /no/such/file: cannot be read: No such file"))
    // Without end, and not read to its end.
    let endlessFile = try await CordonBinary.run(
      CordonBinary.path, [verb, "/dev/zero"] + (verb == "check" ? ["--nr", "1"] : []))
    #expect(endlessFile.status == 65)
  }

  @Test func anUnknownCallIsRefusedWithThoseThatAreNear() async throws {
    let outcome = try await CordonBinary.run("check", "-", "--nr", "getppidd", input: filter(0x1000, 0x2000, .trap))
    #expect(outcome.status == 65 && outcome.error.contains("did you mean 'getppid'"))
  }

  @Test(arguments: ["compile", "show", "check"])
  func helpHasAnExample(verb: String) async throws {
    for arguments in [["help", verb], [verb, "--help"]] {
      let outcome = try await CordonBinary.run(CordonBinary.path, arguments)
      #expect(outcome.status == 0 && outcome.error.isEmpty)
      #expect(outcome.output.contains("Examples:\n  cordon \(verb) "), "\(outcome.output)")
      #expect(outcome.output.split(separator: "\n").filter { $0.hasPrefix("  cordon ") }.count >= 2)
    }
  }

  @Test func theRootListsItsVerbs() async throws {
    let outcome = try await CordonBinary.run()
    #expect(outcome.status == 0)
    for verb in ["compile", "show", "check"] { #expect(outcome.output.contains("\n  \(verb) ")) }
  }
}
