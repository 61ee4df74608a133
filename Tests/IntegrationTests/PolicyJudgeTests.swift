import FilterCompiler
import SyscallPolicy
import TestSupport
import Testing

/// The kernel decides as the rules say, whatever libseccomp and the compiler made of them: by its BPF machine on any call
/// there can be, and by seccomp on calls that are really made.
@Suite struct PolicyJudgeTests {
  private static let (allow, refuse) = (Action(.allow), Action(.errno, data: 1))
  private static let region = (start: UInt64(0x7f12_3456_0000), end: UInt64(0x7f12_3457_0000))

  private func map(_ policy: Policy, default outside: Disposition = .allow) throws -> RegionMap {
    var map = RegionMap(architecture: .x86_64, default: outside)
    let range = try AddressRange(start: Self.region.start, end: Self.region.end)
    try map.insert(range, .policy(PolicyBody(compiling: policy)))
    return map
  }

  /// What is to become of a call: the specification in other words than the compiler's.
  private func expected(_ call: SeccompData, _ policy: Policy, outside: Disposition) -> Action {
    let isInside = Self.region.start + 2 <= call.instructionPointer && call.instructionPointer <= Self.region.end
    return isInside ? policy.answer(to: call) : outside.answer(to: call)
  }

  private static let tables: [[CallTable]] = [
    [.x86_64], [.x86_64, .x32], [.x86_64, .x32, .i386], [.i386], CallTable.allCases,
  ]

  /// Compiles random policies, as many as libseccomp can be given, and hands each with calls to the body.
  private func forRandomPolicies(
    _ count: Int, seed: UInt64, _ body: (Policy, RegionMap, [SeccompData]) throws -> Void
  ) throws {
    var generator = SeededGenerator(seed: seed)
    var compiled = 0
    for round in 0..<count {
      let made = Policy.random(rules: 5, tables: Self.tables[round % Self.tables.count], using: &generator)
      let policy = try #require(made)
      let map: RegionMap
      do {
        map = try self.map(policy)
      } catch let error as PolicyCompileError {
        // Nothing but this is a reason to give up: a wrong body or a hang would be news.
        #expect(error.reason == .rule(.tooManyTests), "\(policy.tables)")
        continue
      }
      compiled += 1
      let pointers = [Self.region.start + 1, Self.region.start + 2, Self.region.end, Self.region.end + 1]
      let calls = policy.calls(80, using: &generator).enumerated().map { index, call in
        var call = call
        call.instructionPointer = pointers[index % 4 == 0 ? index / 4 % 4 : 1 + index % 2]
        return call
      }
      try body(policy, map, calls)
    }
    #expect(compiled > count * 3 / 4)
  }

  @Test func randomPoliciesBeforeTheKernelsMachine() throws {
    try forRandomPolicies(25, seed: 0x9011) { policy, map, calls in
      let program = try map.compile()
      let judge = try FilterJudge(program)
      for call in calls {
        let expected = expected(call, policy, outside: .allow)
        try #require(try judge.verdict(call) == expected, "\(call) \(policy.tables)")
        try #require(program.evaluate(call).action == expected)
      }
      try #require(try Prover.difference(FilterStack([program]), RegionSpecification(map)) == nil)
    }
  }

  @Test func randomPoliciesOnCallsThatAreMade() throws {
    try forRandomPolicies(15, seed: 0x9012) { policy, map, calls in
      let possible = calls.filter(SeccompJudge.canMake)
      let verdicts = try SeccompJudge.verdicts(of: map.compile(), on: possible)
      for (call, verdict) in zip(possible, verdicts) {
        guard let verdict else { continue }
        try #require(verdict == expected(call, policy, outside: .allow), "\(call) \(policy.tables)")
      }
      #expect(verdicts.contains { $0 != nil })
    }
  }

  /// Every comparison at its edges, in both halves of a register, on calls that are really made.
  @Test(arguments: [UInt64(5), 0x7fff_ffff, 0xffff_ffff, 0x1_0000_0000, 0x5_0000_0003, 1 << 63])
  func everyComparisonAtItsEdges(constant: UInt64) throws {
    let tests: [ArgumentCondition.Test] = [
      .equal(constant), .notEqual(constant), .less(constant), .lessOrEqual(constant), .greater(constant),
      .greaterOrEqual(constant), .masked(constant | 0xff, equal: constant), .within(3, constant),
    ]
    // A number for each comparison; calls that no kernel has, so that nothing happens whatever is decided.
    let rules = try tests.enumerated().map { index, test in
      Policy.Rule(
        900 + UInt32(index), where: [try ArgumentCondition(argument: index % 6, test)], Action(.errno, data: 77))
    }
    let policy = try Policy(tables: [.x86_64: Policy.Table(rules, otherwise: Self.refuse)])
    let values = [0, 2, 3, constant, constant &+ 1, constant &- 1, constant ^ 1 << 32, constant ^ 1 << 31, .max]
    let calls = tests.indices.flatMap { index in
      values.map { value in
        var arguments = [UInt64](repeating: 0xdead_beef_0000_0001, count: 6)
        arguments[index % 6] = value
        return SeccompData(
          nr: 900 + UInt32(index), arch: .x86_64, instructionPointer: Self.region.start + 2, args: arguments)
      }
    }
    let verdicts = try SeccompJudge.verdicts(of: map(policy).compile(), on: calls)
    for (call, verdict) in zip(calls, verdicts) {
      let condition = rules[Int(call.number) - 900].conditions[0]
      #expect(
        verdict == (condition.holds(call.arguments) ? Action(.errno, data: 77) : Self.refuse), "\(condition) \(call)")
    }
  }

  /// The plugin that ships, on calls that are really made, by all three ways into the kernel.
  @Test func onlyWhatThePluginMayDo() throws {
    let profile = try Profile(
      yaml: """
        default: allow
        regions:
          - code: 0x7f1234560000-0x7f1234570000
            disposition:
              default: errno EPERM
              calls: [{call: [read, write, futex], then: allow}]
        """, file: "plugin", architecture: .x86_64)
    let program = try profile.regionMap().compile(profile.options)
    func call(_ number: UInt32, _ pointer: UInt64, _ architecture: AuditArchitecture = .x86_64) -> SeccompData {
      SeccompData(nr: number, arch: architecture, instructionPointer: pointer)
    }
    let (inside, outside) = (Self.region.start + 2, Self.region.end + 1)
    let cases: [(SeccompData, Action)] = [
      (call(0, inside), Self.allow), (call(1, inside), Self.allow), (call(202, inside), Self.allow),
      (call(2, inside), Self.refuse), (call(59, inside), Self.refuse), (call(900, inside), Self.refuse),
      (call(0x4000_0000, inside), Action(.killProcess)), (call(.max, inside), Self.refuse),
      (call(3, inside, .i386), Action(.killProcess)), (call(2, outside), Self.allow),
      (call(0x4000_0000, outside), Self.allow), (call(3, outside, .i386), Self.allow),
    ]
    let possible = cases.filter { SeccompJudge.canMake($0.0) }
    let verdicts = try SeccompJudge.verdicts(of: program, on: possible.map(\.0))
    for ((call, expected), verdict) in zip(possible, verdicts) { #expect(verdict == expected, "\(call)") }
    #expect(possible.count >= 9)
  }
}
