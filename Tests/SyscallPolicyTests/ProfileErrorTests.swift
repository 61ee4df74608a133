import FilterCompiler
import SyscallPolicy
import Testing

/// A bad profile is refused with the place, the line, a caret, and what to do.
@Suite struct ProfileErrorTests {
  private func refusal(_ yaml: String, _ architecture: Architecture? = nil) throws -> ProfileError {
    let error = #expect(throws: ProfileError.self, "\(yaml)") {
      let profile = try Profile(yaml: yaml, file: "p.yaml", architecture: architecture)
      _ = try profile.regionMap { name throws(CodeNameError) in
        throw CodeNameError(problem: "no '\(name.name)'", remedy: "look", isAbsence: true)
      }
    }
    return try #require(error)
  }

  @Test func allOfItIsShown() throws {
    #expect(
      try refusal("default: allow\nregoins: []\n").description == """
        p.yaml:2:1: unknown key 'regoins'
        regoins: []
        ^
        did you mean 'regions'?
        """)
    #expect(
      try refusal("default: allow\nregions:\n  - code: 0x2000-0x1000\n    disposition: trap\n").description == """
        p.yaml:3:11: the range 0x2000-0x1000 ends before it starts
          - code: 0x2000-0x1000
                  ^
        a range is 0xSTART-0xEND, and END the first address after it
        """)
  }

  private static let region = "default: allow\nregions:\n  - code: 0x1000-0x2000\n    disposition: trap\n"

  @Test(arguments: [
    // Not YAML, or not a profile.
    ("", 1, 1, "the profile is empty", "default: allow"),
    ("[1", 1, 3, "no YAML", ""),
    ("- a\n", 1, 1, "expected a profile, found a list", ""),
    ("allow", 1, 1, "expected a profile, found 'allow'", ""),
    ("default: allow\n---\ndefault: trap\n", 2, 1, "no YAML", ""),
    ("default: allow\ndefault: trap\n", 1, 1, "'default' is there more than once", ""),
    ("regions: []\n", 1, 1, "no 'default'", ""),
    ("default: &a allow\n", 1, 10, "no anchors", ""),
    ("default: allow\nschema: cordon.profile/2\n", 2, 9, "found 'cordon.profile/2'", "cordon.profile/1"),
    ("é\u{1}: 1", 1, 2, "control characters", ""),
    // Unknown names.
    ("defualt: allow\n", 1, 1, "unknown key 'defualt'", "did you mean 'default'?"),
    (region + "    writeable: true\n", 5, 5, "unknown key 'writeable'", "did you mean 'writable'?"),
    ("default: alow\n", 1, 10, "'alow' is no disposition", "did you mean 'allow'?"),
    ("default: kill all\n", 1, 10, "'kill all' is no disposition", ""),
    ("default: errno EPREM\n", 1, 10, "there is no error 'EPREM'", "did you mean 'EPERM'?"),
    ("default: allow\narchitecture: i386\n", 2, 15, "found 'i386'", "x86_64, aarch64, riscv64"),
    ("default: allow\nchecked-architectures: [x86_64, i368]\n", 2, 33, "found 'i368'", "'i386'"),
    (
      "architecture: x86_64\ndefault: allow\nallowed-calls: [read, rite]\n", 3, 23, "no system call 'rite'",
      "did you mean 'write',"
    ),
    ("default: allow\nallowed-calls: 4294967296\n", 2, 16, "no system call number", ""),
    // Wrong types.
    ("default: [allow]\n", 1, 10, "expected a disposition, found a list", ""),
    ("default:\n", 1, 9, "expected a disposition, found nothing", ""),
    ("default: allow\nregions: libc.so\n", 2, 10, "expected a list of regions, found 'libc.so'", ""),
    ("default: allow\nregions: [libc.so]\n", 2, 11, "expected a region, found 'libc.so'", ""),
    ("default: allow\nregions:\n  - disposition: trap\n", 3, 5, "no 'code'", ""),
    ("default: allow\nregions:\n  - code: exe\n", 3, 5, "no 'disposition'", ""),
    ("default: allow\nregions:\n  - {code: [], disposition: trap}\n", 3, 12, "found an empty list", ""),
    ("default: allow\nregions:\n  - {code: exe, disposition: trap, writable: 1}\n", 3, 46, "true or false", ""),
    ("default: errno\n", 1, 10, "'errno' says which", "errno EPERM"),
    ("default: errno 4096\n", 1, 10, "from 0 to 4095", ""),
    ("default: trap 65536\n", 1, 10, "from 0 to 65535", ""),
    ("default: trace -1\n", 1, 10, "from 0 to 65535", ""),
    // Ranges.
    ("default: allow\ndont-care: 0x1000\n", 2, 12, "not a range of the form", "for example"),
    ("default: allow\nregions:\n  - {code: 1000-2000, disposition: trap}\n", 3, 12, "not a range of the form", "0x"),
    ("default: allow\nregions:\n  - {code: 0x10-0x11, disposition: trap}\n", 3, 12, "too short", ""),
    ("default: allow\ndont-care: 0x1000-0xffffffffffffffff\n", 2, 12, "above user space", "architecture"),
    ("default: allow\ngate: 0x1000-0x1001\n", 2, 7, "too short", ""),
    (region + "    optional: true\n", 5, 15, "a range is there as it is", ""),
    // Duplicates and contradictions.
    (region + "  - {code: 0x1000-0x2000, disposition: trap}\n", 5, 12, "listed already in line 3", ""),
    (region + "  - {code: 0x1000-0x2000, disposition: allow}\n", 5, 12, "is trap already in line 3", ""),
    (region + "  - {code: 0x1800-0x2800, disposition: allow}\n", 5, 12, "contradicts trap 0x1000-0x2000 of line 3", ""),
    (region + "dont-care: [0x1800-0x2800]\n", 5, 13, "contradicts trap 0x1000-0x2000 of line 3", ""),
    ("default: allow\nregions: [{code: [exe, exe], disposition: trap}]\n", 2, 24, "listed already in line 2", ""),
    ("default: allow\nallowed-calls: [read]\ntrapped-calls: [read]\n", 3, 17, "listed already in line 2", ""),
    ("default: allow\nother-architectures: kill\n", 2, 22, "'checked-architectures' lists none", ""),
    ("default: allow\ntrapped-calls-data: 1\n", 2, 21, "no 'trapped-calls'", ""),
    // Modules.
    (
      "default: allow\nregions:\n  - {code: exe, disposition: trap}\n", 3, 12, "no 'exe'",
      "'optional: true' if it may be missing; look"
    ),
    ("default: allow\nregions:\n  - {code: *.so, disposition: trap}\n", 3, 13, "needs quotes", "'*.so'"),
  ])
  func badProfile(yaml: String, line: Int, column: Int, words: String, remedy: String) throws {
    let error = try refusal(yaml)
    #expect(error.place == "p.yaml:\(line):\(column)", "\(error)")
    #expect(error.problem.contains(words) && !error.problem.contains("\n"), "\(error)")
    let remedies = error.remedy ?? ""
    #expect(!remedies.isEmpty && remedies.contains(remedy), "\(error)")
    let excerpt = error.excerpt.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(excerpt.count == 2 && excerpt[1].last == "^" && excerpt[1].count == column, "\(error)")
  }

  private static let head = "architecture: x86_64\ndefault: allow\n"
  private static let policy = head + "policies:\n  p:\n    default: errno EPERM\n    calls:\n"

  @Test(arguments: [
    // Where policies stand.
    (head + "policies: [p]\n", 3, 11, "expected policies, each with its name, found a list", ""),
    (head + "policies: {a b: {default: allow}}\n", 3, 12, "'a b' is no name", ""),
    (head + "policies: {p: allow}\n", 3, 15, "expected a policy, found 'allow'", ""),
    (head + "policies: {p: {calls: []}}\n", 3, 15, "no 'default'", ""),
    (head + "policies: {p: {default: allow, call: []}}\n", 3, 32, "unknown key 'call'", "did you mean 'calls'?"),
    (head + "policies: {p: {default: policy q}}\n", 3, 25, "cannot be part of another", ""),
    (head + "x32-calls: policy\n", 3, 12, "'policy' says which one", "policy reader"),
    ("default: policy raeder\npolicies: {reader: {default: allow}}\n", 1, 10, "no policy 'raeder'", "'reader'"),
    ("default: policy p\n", 1, 10, "there is no policy 'p'", "the section 'policies'"),
    ("architecture: aarch64\ndefault: allow\nx32-calls: kill\n", 3, 12, "aarch64 has no x32 calls", ""),
    (policy.replacing("    calls:\n", with: "    architectures: [x86_64, i686]\n"), 6, 29, "found 'i686'", "i386"),
    (
      policy.replacing("    calls:\n", with: "    architectures: {x86_64: {}}\n"), 6, 21, "those of the policy itself",
      ""
    ),
    (policy.replacing("    calls:\n", with: "    architectures: [x32, x32]\n"), 6, 26, "listed already", ""),
    // Rules.
    (policy + "      - {call: read}\n", 7, 9, "no 'then'", "allow"),
    (policy + "      - {then: allow}\n", 7, 9, "no 'call'", ""),
    (policy + "      - {call: rite, then: allow}\n", 7, 16, "x86_64 has no system call 'rite'", "'write'"),
    (policy + "      - {call: 0x40000001, then: allow}\n", 7, 16, "no system call number 1073741825", "x32"),
    (policy + "      - {call: read, then: {default: allow}}\n", 7, 28, "cannot be part of another", ""),
    (policy + "      - {call: read, then: alow}\n", 7, 28, "'alow' is no disposition", "'allow'"),
    (policy + "    architectures: [x86_64, i386]\n", 6, 11, "expected a list of rules, found nothing", ""),
    (
      policy + "      - {call: 5, then: allow}\n    architectures: [x86_64, i386]\n", 7, 16, "another call for each",
      "name"
    ),
    (
      policy + "      - {call: rite, then: allow}\n    architectures: [x86_64, i386]\n", 7, 16,
      "none of x86_64, i386 has a system call 'rite'", "'write'"
    ),
    // Conditions.
    (policy + "      - {call: read, when: arg6 == 1, then: allow}\n", 7, 28, "no argument 6", ""),
    (policy + "      - {call: read, when: 'fd == 1', then: allow}\n", 7, 29, "'fd' is no argument", "arg0 to arg5"),
    (policy + "      - {call: read, when: arg0 = 1, then: allow}\n", 7, 33, "'=' is no comparison", "'=='"),
    (policy + "      - {call: read, when: arg0, then: allow}\n", 7, 32, "a comparison is expected", "for example"),
    (policy + "      - {call: read, when: arg0 ==, then: allow}\n", 7, 35, "a number is expected", ""),
    (policy + "      - {call: read, when: arg0 == x, then: allow}\n", 7, 36, "'x' is no number", ""),
    (
      policy + "      - {call: read, when: arg0 == -1, then: allow}\n", 7, 36, "arguments are unsigned",
      "0xffffffffffffffff"
    ),
    (
      policy + "      - {call: read, when: arg0 == 0x10000000000000000, then: allow}\n", 7, 36, "more than 64 bits", ""
    ),
    (
      policy + "      - {call: read, when: arg0 == 18446744073709551616, then: allow}\n", 7, 36, "more than 64 bits", ""
    ),
    (policy + "      - {call: read, when: arg0 < 0, then: allow}\n", 7, 28, "'arg0 < 0x0' never holds", "'<='"),
    (policy + "      - {call: read, when: arg0 >= 0, then: allow}\n", 7, 28, "always holds", "leave it out"),
    (
      policy + "      - {call: read, when: arg0 & 0xf0 == 1, then: allow}\n", 7, 28, "the mask has not",
      "bits of the mask"
    ),
    (policy + "      - {call: read, when: arg0 & 2 != 0, then: allow}\n", 7, 37, "not by '!='", "a rule with '=='"),
    (
      policy + "      - {call: read, when: arg0 in 9...3, then: allow}\n", 7, 28, "ends before it starts", "lower bound"
    ),
    (policy + "      - {call: read, when: arg0 in 3..9, then: allow}\n", 7, 37, "without '..'", ""),
    (
      policy + "      - {call: read, when: arg0 < 3 and arg1 < 3, then: allow}\n", 7, 37, "'and' is one thing",
      "one by one"
    ),
    (policy + "      - {call: read, when: [], then: allow}\n", 7, 28, "empty list", ""),
    // Rules that do not go together.
    (policy + "      - {call: [read, read], then: allow}\n", 7, 23, "what line 7 says already", "once"),
    (
      policy + "      - {call: read, then: allow}\n      - {call: [write, read], then: kill}\n", 8, 24,
      "contradicts line 7", ""
    ),
    (
      policy + "      - {call: read, then: allow}\n      - {call: read, when: arg0 < 3, then: kill}\n", 8, 16,
      "decides no call", "the first rule"
    ),
    (
      policy + "      - {call: read, when: [arg0 < 3, arg0 > 5], then: allow}\n", 7, 16, "exclude each other",
      "list the call"
    ),
    (
      policy.replacing("default: allow", with: "default: policy p")
        + "      - {call: read, when: [arg0 in 5...99999, arg1 in 5...99999, arg2 in 5...99999], then: trap}\n"
        + "      - {call: read, when: [arg3 in 5...99999, arg4 in 5...99999, arg5 in 5...99999], then: kill}\n", 8, 16,
      "comparisons of bits than fit", "with a mask"
    ),
    // Calls of other tables.
    (head + "trapped-calls: [i386:rt_sigation]\n", 3, 17, "i386 has no system call 'rt_sigation'", "'rt_sigaction'"),
    (head + "trapped-calls: [arm:read]\n", 3, 17, "'arm' is no architecture that x86_64", "x86_64, x32, i386"),
    (head + "allowed-calls: ['i386:3', 'i386:read']\n", 3, 27, "listed already", ""),
  ])
  func badPolicy(yaml: String, line: Int, column: Int, words: String, remedy: String) throws {
    try badProfile(yaml: yaml, line: line, column: column, words: words, remedy: remedy)
  }

  @Test func modulesNeedAProcess() throws {
    let profile = try Profile(yaml: "default: trap\nregions: [{code: exe, disposition: allow}]", file: "p.yaml")
    let error = #expect(throws: ProfileError.self) { try profile.regionMap() }
    #expect(error?.place == "p.yaml:2:18" && error?.remedy?.contains("--pid") == true)
  }

  @Test func oneArchitectureAtATime() throws {
    let error = try refusal("default: allow\narchitecture: aarch64\n", .riscv64)
    #expect(error.place == "p.yaml:2:15" && error.problem.contains("aarch64") && error.problem.contains("riscv64"))
  }

  @Test func ofALongLineTheWrongPartIsShown() throws {
    let error = try refusal("default: allow\nallowed-calls: [\(String(repeating: "1, ", count: 1))\(names), rite]\n")
    let lines = error.excerpt.split(separator: "\n")
    #expect(lines[0].count <= 100 && lines[0].dropFirst(lines[1].count - 1).hasPrefix("rite"))
  }

  private let names = (2..<200).map(String.init).joined(separator: ", ")

  @Test func tabsStayBelowTabs() throws {
    let error = try refusal("default: allow\nregions: [\t{code:\texe,\tdispositoin: trap}]\n")
    #expect(error.excerpt.split(separator: "\n").last == "          \t      \t    \t^", "\(error)")
  }

  @Test func aHugeTextIsRefused() throws {
    let error = try refusal("default: allow #" + String(repeating: "x", count: 1 << 20))
    #expect(error.problem.contains("1048576 bytes"))
  }

  /// Names that stand for lists of names: without a limit, a few lines would stand for more values than fit anywhere.
  @Test func nestedAliasesAreNotFollowed() throws {
    let lines = (1..<60).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }
    let error = try refusal("a0: &a0 [x]\n" + lines.joined() + "? *a59\n: 1\n")
    #expect(error.problem.contains("no anchors"))
  }

  @Test func deepNestingIsRefused() throws {
    #expect(try refusal(String(repeating: "[", count: 100_000)).line == 1)
  }
}
