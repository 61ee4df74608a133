import FilterCompiler
import SyscallPolicy
import Testing

/// What a profile file can say, and that it means what it says.
@Suite struct ProfileTests {
  private func profile(_ yaml: String, _ architecture: Architecture? = nil) throws -> Profile {
    try Profile(yaml: yaml, file: "p.yaml", architecture: architecture)
  }

  @Test func everythingThatAProfileCanSay() throws {
    let profile = try profile(
      """
      schema: cordon.profile/1
      architecture: x86_64
      default: trap 7
      regions:
        - code: 0x1000-0x2000
          disposition: allow
        - code: [0x5000-0x6000, libfoo.so, "*.so"]
          disposition: errno EPERM
        - {code: anonymous, disposition: kill-thread, writable: true, optional: true}
      dont-care:
        - 0x2000-0x5000
        - 0x100000-0x200000
      checked-architectures: [x86_64, i386]
      other-architectures: errno 38
      allowed-calls: [futex, 39]
      gate: 0x10000-0x11000
      trapped-calls: rt_sigaction
      trapped-calls-data: 0x10
      """)
    var asked: [CodeName] = []
    let map = try profile.regionMap { name throws(CodeNameError) in
      asked.append(name)
      switch name.name {
      case "libfoo.so": return [range(0x8000, 0x9000), range(0xa000, 0xb000)]
      case "*.so": return [range(0x8000, 0x9000)]
      default: throw CodeNameError(problem: "none", remedy: nil, isAbsence: true)
      }
    }
    #expect(asked == [CodeName("libfoo.so"), CodeName("*.so"), CodeName("anonymous", writable: true)])
    var expected = RegionMap(architecture: .x86_64, default: .trap(data: 7))
    try expected.insert(range(0x1000, 0x2000), .allow)
    for start: UInt64 in [0x5000, 0x8000, 0xa000] { try expected.insert(range(start, start + 0x1000), .errno(1)) }
    try expected.insertDontCare(range(0x2000, 0x5000))
    try expected.insertDontCare(range(0x10_0000, 0x20_0000))
    #expect(map == expected)
    #expect(
      profile.options
        == CompileOptions(
          checkedArchitectures: [.x86_64, .i386], otherArchitecture: .errno(38), allowedNumbers: [202, 39],
          gate: range(0x10000, 0x11000), globalTrapNumbers: [13], trapData: 16))
  }

  @Test(arguments: [
    ("allow", Disposition.allow), ("trap", .trap), ("trap 65535", .trap(data: 65535)), ("errno EPERM", .errno(1)),
    ("errno  0x1", .errno(1)), ("errno 0", .errno(0)), ("errno 4095", .errno(4095)), ("errno ENOSYS", .errno(38)),
    ("errno EWOULDBLOCK", .errno(11)), ("kill", .killProcess), ("kill-thread", .killThread), ("log", .log),
    ("notify", .notify), ("trace 3", .trace(3)),
  ])
  func dispositions(text: String, expected: Disposition) throws {
    #expect(try profile("default: \(text)").defaultDisposition == expected)
  }

  @Test func policiesByNameAndInPlace() throws {
    let profile = try profile(
      """
      architecture: x86_64
      default: policy reader
      policies:
        reader:
          default: errno EPERM
          calls:
            - {call: [read, 1], then: allow}
            - {call: mmap, when: arg2 & 0x4 == 0, then: allow}
            - call: fcntl
              when: [arg0 <= 2, arg1 in 1...4, 'arg2 != 0x1_', arg2 > 5, arg3 < 9, arg3 >= 1, arg4 == 18446744073709551615]
              then: trap 7
          architectures:
            i386:
              default: errno ENOSYS
              calls: [{call: read, then: allow}]
            x32: {}
          other-architectures: kill-thread
        both: {default: allow, architectures: [x86_64, i386, aarch64], calls: [{call: [socket, socketcall], then: kill}]}
      regions:
        - {code: 0x1000-0x2000, disposition: policy both}
        - {code: 0x3000-0x4000, disposition: {default: allow}}
      """.replacing("0x1_", with: "0x1"))
    func condition(_ argument: Int, _ test: ArgumentCondition.Test) throws -> ArgumentCondition {
      try ArgumentCondition(argument: argument, test)
    }
    let refuse = Action(.errno, data: 1)
    let reader = try Policy(
      name: "reader",
      tables: [
        .x86_64: Policy.Table(
          [
            Policy.Rule(0, Action(.allow)), Policy.Rule(1, Action(.allow)),
            Policy.Rule(9, where: [condition(2, .masked(4, equal: 0))], Action(.allow)),
            Policy.Rule(
              72,
              where: [
                condition(0, .lessOrEqual(2)), condition(1, .within(1, 4)), condition(2, .notEqual(1)),
                condition(2, .greater(5)), condition(3, .less(9)), condition(3, .greaterOrEqual(1)),
                condition(4, .equal(.max)),
              ], Action(.trap, data: 7)),
          ], otherwise: refuse),
        .i386: Policy.Table([Policy.Rule(3, Action(.allow))], otherwise: Action(.errno, data: 38)),
        .x32: Policy.Table([], otherwise: refuse),
      ], otherTables: Action(.killThread))
    let socket = [Policy.Rule(359, Action(.killProcess)), Policy.Rule(102, Action(.killProcess))]
    let both = try Policy(
      name: "both",
      tables: [
        .x86_64: Policy.Table([Policy.Rule(41, Action(.killProcess))], otherwise: Action(.allow)),
        .i386: Policy.Table(socket, otherwise: Action(.allow)),
      ])
    guard case .policy(let body) = profile.defaultDisposition else {
      Issue.record("\(profile.defaultDisposition)")
      return
    }
    #expect(body.policy == reader)
    let regions = try profile.regionMap().regions.map(\.disposition)
    let linked = Disposition.policy(try PolicyBody(compiling: both))
    #expect(regions.count == 2 && regions.first == linked)
    #expect(regions.map(\.description) == ["policy both", "policy of line 21"])
  }

  @Test func whatNoFilterHoldsIsSaid() throws {
    // Every second number of 8192 or so, and each argument another constant: nothing to merge.
    let rules = (0..<1200).map { "{call: \($0 * 2), when: arg\($0 % 6) == \($0 * 0x1_2345_6789 + 7), then: allow}" }
    let profile = try profile("default: {default: kill, calls: [\(rules.joined(separator: ", "))]}", .x86_64)
    let error = #expect(throws: CompileError.self) { try profile.regionMap().compile(profile.options) }
    guard case .tooLong(let instructions)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(
      instructions > 4096 && error?.description.contains("\(instructions - 4096) more than a filter can have") == true)
  }

  /// One profile for several machines: each gets the tables that its code can call.
  @Test func policiesForSeveralMachines() throws {
    let yaml = """
      default: {default: errno EPERM, architectures: [x86_64, aarch64, riscv64], calls: [{call: write, then: allow}]}
      """
    for architecture in [Architecture.x86_64, .aarch64, .riscv64] {
      let profile = try profile(yaml, architecture)
      let program = try profile.regionMap().compile(profile.options)
      let call = SeccompData(nr: architecture == .x86_64 ? 1 : 64, arch: AuditArchitecture(architecture))
      #expect(program.evaluate(call).action == Action(.allow))
      #expect(program.instructions.count < 12)
    }
  }

  @Test func theGlobalSetHasCallsOfOtherTables() throws {
    let profile = try profile(
      """
      architecture: x86_64
      default: allow
      x32-calls: errno ENOSYS
      allowed-calls: [read, i386:read, "x32:0"]
      trapped-calls: [rt_sigaction, i386:rt_sigaction, x32:rt_sigaction, i386:173]
      """)
    #expect(
      profile.options
        == CompileOptions(
          x32: .errno(38), allowedNumbers: [0, 0x4000_0000], foreignAllowedNumbers: [.i386: [3]],
          globalTrapNumbers: [13, 0x4000_0200], foreignTrapNumbers: [.i386: [174, 173]]))
  }

  @Test func theArchitectureIsTheProfilesOrTheOneAskedForOrTheHost() throws {
    #expect(try profile("default: allow").architecture == .host)
    #expect(try profile("default: allow", .riscv64).architecture == .riscv64)
    #expect(try profile("architecture: aarch64\ndefault: allow", .aarch64).architecture == .aarch64)
    // Names of calls mean those of the machine that the profile is for.
    let yaml = "architecture: aarch64\ndefault: trap\nallowed-calls: [getppid]"
    #expect(try profile(yaml).options.allowedNumbers == [173])
  }

  @Test func modulesAreKnownToNeedAProcess() throws {
    #expect(try profile("default: allow\nregions: [{code: exe, disposition: trap}]").namesModules)
    #expect(!(try profile("default: allow\nregions: [{code: 0x1000-0x2000, disposition: trap}]").namesModules))
  }

  @Test func overlappingModulesOfOneDispositionAreOne() throws {
    let profile = try profile("default: allow\nregions: [{code: ['lib*', libc.so.6], disposition: trap}]")
    let map = try profile.regionMap { _ throws(CodeNameError) in [range(0x1000, 0x3000)] }
    #expect(map.regions.count == 1)
  }

  @Test func aProfileOfManyRegionsIsReadAtOnce() throws {
    let regions = (0..<10_000).map { index -> String in
      let start = 0x1000_0000 + UInt64(index) * 0x2000
      return "  - {code: \(hexadecimal(start))-\(hexadecimal(start + 0x1000)), disposition: trap}\n"
    }
    let map = try profile("default: allow\nregions:\n" + regions.joined()).regionMap()
    #expect(map.regions.count == 10_000)
  }

  @Test func writableAndOtherCodeOfANameMayDiffer() throws {
    let profile = try profile(
      """
      default: trap
      regions:
        - {code: "*", disposition: allow, writable: false}
        - {code: "*", disposition: kill, writable: true}
      """)
    let map = try profile.regionMap { name throws(CodeNameError) in
      [name.writable == true ? range(0x1000, 0x2000) : range(0x4000, 0x5000)]
    }
    #expect(map.regions.map(\.disposition) == [.killProcess, .allow])
  }
}

/// A range whose bounds are known to be in order.
private func range(_ start: UInt64, _ end: UInt64) -> AddressRange {
  (try? AddressRange(start: start, end: end)) ?? { preconditionFailure("\(start) is not below \(end)") }()
}
