import FilterCompiler
import Glibc
import Subprocess
import SystemPackage
import Testing

/// `cordon compile PROFILE`, as its users meet it.
@Suite struct CompileProfileTests {
  private static let profile = """
    default: allow
    regions:
      - code: 0x1000-0x2000
        disposition: errno EPERM
    """

  private func compile(_ yaml: String, _ arguments: String...) async throws -> CordonBinary.Outcome {
    let folder = try TemporaryFolder()
    _ = try folder.write(Array(yaml.utf8), to: "p.yaml")
    return try await CordonBinary.run(
      "/bin/sh", ["-c", "exec \"$cordon\" compile p.yaml \"$@\"", "sh"] + arguments,
      environment: ["cordon": CordonBinary.path.string], in: folder.path)
  }

  @Test func aProfileBecomesAFilter() async throws {
    var map = RegionMap(default: .allow)
    try map.insert(AddressRange(start: 0x1000, end: 0x2000), .errno(1))
    let outcome = try await compile(Self.profile, "-f", "raw")
    #expect(outcome.status == 0 && outcome.error.isEmpty)
    #expect(try Program(raw: outcome.bytes) == map.compile())
    let piped = try await CordonBinary.run("compile", "-", "-f", "raw", input: Array(Self.profile.utf8))
    #expect(piped.status == 0 && piped.bytes == outcome.bytes)
    let json = try await compile(Self.profile, "-f", "json")
    #expect(json.output.contains(#"{"start": "0x1000", "end": "0x2000", "disposition": "errno 1"}"#))
  }

  @Test func optionsAddToWhatTheProfileSays() async throws {
    var map = RegionMap(architecture: .riscv64, default: .allow)
    try map.insert(AddressRange(start: 0x1000, end: 0x2000), .errno(1))
    try map.insert(AddressRange(start: 0x5000, end: 0x6000), .trap)
    try map.insertDontCare(AddressRange(start: 0x2000, end: 0x5000))
    let outcome = try await compile(
      Self.profile, "--arch", "riscv64", "--trap", "0x5000-0x6000", "--dont-care", "0x2000-0x5000", "-f", "raw")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try Program(raw: outcome.bytes) == map.compile())
    let contradiction = try await compile(Self.profile, "--trap", "0x1800-0x2800")
    #expect(contradiction.status == 65 && contradiction.error.contains("contradicts errno 1 0x1000-0x2000"))
  }

  @Test func theStagesAreThere() async throws {
    let outcome = try await compile(
      "architecture: x86_64\ndefault: trap\nallowed-calls: getppid\nchecked-architectures: x86_64\n", "-f", "raw")
    let program = try Program(raw: outcome.bytes)
    func answer(_ number: UInt32, _ architecture: AuditArchitecture) -> Action {
      program.evaluate(SeccompData(nr: number, arch: architecture, instructionPointer: 0x1000)).action
    }
    #expect(answer(110, .x86_64) == Action(.allow) && answer(111, .x86_64) == Action(.trap))
    #expect(answer(110, .i386) == Action(.killProcess))
  }

  @Test func modulesAreFoundInALiveProcess() async throws {
    let process = try LiveProcess()
    let yaml = """
      default: errno EPERM
      regions:
        - code: ["libc.so*", vdso]
          writable: false
          disposition: allow
        - {code: anonymous, optional: true, disposition: kill}
        - {code: exe, writable: true, optional: true, disposition: kill}
      """
    let outcome = try await compile(yaml, "--pid", "\(process.id)", "-f", "raw")
    #expect(outcome.status == 0, "\(outcome.error)")
    let program = try Program(raw: outcome.bytes)
    func answer(_ address: UInt64) -> Action {
      program.evaluate(SeccompData(nr: 39, instructionPointer: address + 2)).action
    }
    for (start, end) in try process.code(endingWith: "/libc.so.6") + process.code(endingWith: "[vdso]") {
      #expect(answer(start) == Action(.allow) && answer(end - 2) == Action(.allow))
      #expect(answer(end - 1) == Action(.errno, data: 1))
    }
    for (start, _) in try process.code(endingWith: "/cat") { #expect(answer(start) == Action(.errno, data: 1)) }
  }

  private static let policy = """
    architecture: x86_64
    default: allow
    policies:
      reader:
        default: errno EPERM
        calls:
          - {call: [read, write, futex], then: allow}
          - {call: mmap, when: arg2 & 0x4 == 0, then: allow}
    regions:
      - code: 0x7f1234560000-0x7f1234570000
        disposition: policy reader
    """

  @Test func aPolicyIsCompiledInAllFormsAndProvedAndPriced() async throws {
    for (format, words) in [
      ("text", "if (nr != mmap)"), ("c", "static const struct sock_filter filter[]"), ("dot", "arg2.low & 0x4?"),
      ("svg", ">arg2.low &amp; 0x4?<"),
      ("json", #"{"number": 9, "call": "mmap", "when": ["arg2 & 0x4 == 0x0"], "then": "allow"}"#),
    ] {
      let outcome = try await compile(Self.policy, "-f", format)
      #expect(outcome.status == 0 && outcome.output.contains(words), "\(format): \(outcome.output) \(outcome.error)")
    }
    let folder = try TemporaryFolder()
    _ = try folder.write(Array(Self.policy.utf8), to: "p.yaml")
    _ = try folder.write(Array(Self.policy.replacing("0x4", with: "0x8").utf8), to: "other.yaml")
    func run(_ command: String) async throws -> CordonBinary.Outcome {
      try await CordonBinary.run(
        "/bin/sh", ["-c", command], environment: ["cordon": CordonBinary.path.string], in: folder.path)
    }
    let made = try await run("\"$cordon\" compile p.yaml -f raw -o f.bpf && \"$cordon\" prove f.bpf p.yaml")
    #expect(made.status == 0 && made.output == "f.bpf decides every call as specified\n", "\(made.error)")
    let cost = try await run("\"$cordon\" cost f.bpf")
    #expect(cost.output.contains("x86_64: 3 of") && cost.output.contains("calls: read, write, futex"), "\(cost.output)")
    // A counterexample has arguments, and can be tried out.
    let wrong = try await run("\"$cordon\" prove f.bpf other.yaml")
    #expect(wrong.status == 1)
    let call = try #require(wrong.output.split(separator: "\n").first { $0.contains("cordon check") })
    #expect(call.contains("--nr 9") && call.contains("--arg 2="), "\(call)")
    let checked = try await run(String(call).replacing("cordon check", with: "\"$cordon\" check"))
    #expect(checked.status == 0 && wrong.output.contains("it answers \(checked.output.prefix { $0 != "\n" })"))
  }

  @Test func aBadRuleIsShownInTheProfile() async throws {
    let outcome = try await compile(Self.policy.replacing("arg2 & 0x4 == 0", with: "arg6 == 1"))
    #expect(outcome.status == 65 && outcome.output.isEmpty)
    #expect(
      outcome.error == """
        p.yaml:8:28: there is no argument 6: a system call has arg0 to arg5
              - {call: mmap, when: arg6 == 1, then: allow}
                                   ^
        Filters/README.md describes the format, with examples

        """)
  }

  @Test func aMachineWithoutRoomForLibseccompIsNotTheProfilesFault() async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(Array(Self.policy.utf8), to: "p.yaml")
    // One descriptor more than a program starts with.
    let outcome = try await CordonBinary.shell("ulimit -n 4; \"$cordon\" compile p.yaml -o out", in: folder.path)
    #expect(outcome.status == 69 && folder.contents == ["p.yaml"])
    #expect(
      outcome.error.hasPrefix("p.yaml:") && outcome.error.contains("libseccomp cannot be run: Too many open files"))
    #expect(outcome.error.hasSuffix("is there a limit on processes, memory or open files?\n"), "\(outcome.error)")
  }

  /// A libseccomp that has no memory is the machine's fault; one that waits is ended, and the rule named.
  @Test(
    .enabled(if: access("/usr/bin/gcc", X_OK) == 0, "gcc is not installed"),
    arguments: [
      ("void *seccomp_init(unsigned answer) { return 0; }", 69, 5, "libseccomp cannot be run: Cannot allocate memory"),
      (
        "int pause(void); int seccomp_rule_add_exact_array() { return pause(); }", 65, 7,
        "libseccomp stood still on it for 1500 ms"
      ),
    ] as [(String, CInt, Int, String)])
  func whatBefallsLibseccompIsSaid(library: String, status: CInt, line: Int, words: String) async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(Array(Self.policy.utf8), to: "p.yaml")
    _ = try folder.write(Array(library.utf8), to: "other.c")
    let outcome = try await CordonBinary.shell(
      """
      gcc -w -shared -fPIC other.c -o other.so && rm other.c && LD_PRELOAD=./other.so "$cordon" compile p.yaml -o out
      """, in: folder.path)
    #expect(outcome.status == status && outcome.output.isEmpty)
    #expect(outcome.error.hasPrefix("p.yaml:\(line):") && outcome.error.contains(words), "\(outcome.error)")
    #expect(folder.contents == ["other.so", "p.yaml"])
  }

  @Test(arguments: ["aarch64", "riscv64"]) func policiesForOtherMachines(architecture: String) async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(Array(Self.policy.replacing("x86_64", with: architecture).utf8), to: "p.yaml")
    let outcome = try await CordonBinary.run(
      "/bin/sh", ["-c", "\"$cordon\" compile p.yaml -f raw | \"$cordon\" prove - p.yaml"],
      environment: ["cordon": CordonBinary.path.string], in: folder.path)
    #expect(outcome.status == 0 && outcome.output.contains("decides every call as specified"), "\(outcome.error)")
  }

  @Test func aModuleThatIsMissingIsShownInTheProfile() async throws {
    let process = try LiveProcess()
    let yaml = "default: allow\nregions:\n  - {code: libcc.so, disposition: trap}\n"
    let outcome = try await compile(yaml, "--pid", "\(process.id)")
    #expect(outcome.status == 65 && outcome.output.isEmpty)
    #expect(
      outcome.error == """
        p.yaml:3:12: nothing mapped in process \(process.id) matches 'libcc.so'
          - {code: libcc.so, disposition: trap}
                   ^
        say 'optional: true' if it may be missing; did you mean 'libc.so.6'?

        """)
    let writable = try await compile(
      "default: allow\nregions: [{code: exe, disposition: trap, writable: true}]", "--pid", "\(process.id)")
    #expect(writable.status == 65 && writable.error.contains("all code of 'exe' in process \(process.id) is read-only"))
  }

  @Test func whatIsWrongIsShownAndNothingIsWritten() async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(Array("default: allow\nregoins: []\n".utf8), to: "p.yaml")
    let outcome = try await CordonBinary.shell("\"$cordon\" compile p.yaml -f svg -o out.svg", in: folder.path)
    #expect(outcome.status == 65 && outcome.output.isEmpty)
    #expect(outcome.error == "p.yaml:2:1: unknown key 'regoins'\nregoins: []\n^\ndid you mean 'regions'?\n")
    #expect(folder.contents == ["p.yaml"])
  }

  @Test func modulesNeedAProcess() async throws {
    let outcome = try await compile("default: trap\nregions: [{code: exe, disposition: allow}]")
    #expect(outcome.status == 65 && outcome.error.hasPrefix("p.yaml:2:18: 'exe' is a module"))
    #expect(outcome.error.contains("--pid"))
  }

  @Test func aFileThatIsNoTextIsRefused() async throws {
    let outcome = try await CordonBinary.run("compile", "-", input: [0xff, 0xfe, 0x00])
    #expect(outcome.status == 65 && outcome.error.hasPrefix("cordon: standard input: is not a text in UTF-8\n"))
  }

  @Test func theDefaultIsTheProfilesToSay() async throws {
    let outcome = try await compile(Self.profile, "--default", "trap")
    #expect(outcome.status == 64 && outcome.error.contains("--default"))
  }

  /// Regions that were named by module are called so where they are too many; others go by their addresses.
  @Test func whatToMergeIsNamedAsTheProfileNamesIt() async throws {
    let process = try LiveProcess()
    let ranges = (1...1000).map { index -> String in
      let start = UInt64(index) << 33 + UInt64(index) * 0x1000
      return "  - {code: \(hexadecimal(start))-\(hexadecimal(start + 0x1000)), disposition: trap}\n"
    }
    let modules = "  - {code: [exe, 'libc.so*', 'ld-linux*'], disposition: trap}\n"
    let profile = "default: allow\nregions:\n" + modules + ranges.joined()
    let outcome = try await compile(profile, "--pid", "\(process.id)")
    #expect(outcome.status == 65 && outcome.error.contains("more than the 4096 of a filter"))
    let remedy = try #require(outcome.error.split(separator: "\n").last)
    #expect(remedy.hasPrefix("merge ") && remedy.contains("libc.so.6 (0x"), "\(remedy)")
    #expect(remedy.contains("ld-linux"), "\(remedy)")
    // The kernel's budget, most of which other filters have taken.
    let folder = try TemporaryFolder()
    _ = try folder.write(
      Array(("default: allow\nregions:\n" + modules + ranges.prefix(490).joined()).utf8), to: "p.yaml")
    let attached = try await CordonBinary.shell(
      """
      "$cordon" compile \(Self.manyRegions) -f raw -o big
      "$cordon" compile p.yaml --pid \(process.id) \(String(repeating: "--attached big ", count: 6))
      """, in: folder.path)
    #expect(attached.status == 65, "\(attached.error)")
    #expect(
      attached.error.contains("of the kernel's 32768\nmerge ") && attached.error.contains("libc.so.6 (0x"),
      "\(attached.error)")
    #expect(attached.error.hasSuffix(", or attach fewer filters\n"), "\(attached.error)")
  }

  /// As many as one filter can hold, and nearly a fifth of the kernel's budget.
  private static let manyRegions = (1...1000).map { index -> String in
    let start = UInt64(index) << 32 + 0x1000
    return "--trap \(hexadecimal(start))-\(hexadecimal(start + 0x1000 + UInt64(index) * 16))"
  }.joined(separator: " ")

  @Test func tooManyRegionsNameTheProfile() async throws {
    let regions = (1...1000).map { index -> String in
      let start = UInt64(index) << 33 + UInt64(index) * 0x1000
      return "  - {code: \(hexadecimal(start))-\(hexadecimal(start + 0x1000)), disposition: trap}\n"
    }
    let outcome = try await compile("default: allow\nregions:\n" + regions.joined())
    #expect(outcome.status == 65 && outcome.error.hasPrefix("cordon: p.yaml: 1000 regions need "))
    #expect(outcome.error.contains("more than the 4096 of a filter") && outcome.error.contains("\nmerge "))
  }
}
