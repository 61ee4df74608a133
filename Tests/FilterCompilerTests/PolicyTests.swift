import FilterCompiler
import Testing

/// What rules mean together, and which are refused.
@Suite struct PolicyTests {
  private static let (allow, refuse) = (Action(.allow), Action(.errno, data: 1))

  private func condition(_ argument: Int, _ test: ArgumentCondition.Test) throws -> ArgumentCondition {
    try ArgumentCondition(argument: argument, test)
  }

  private func policy(_ rules: [Policy.Rule]) throws -> Policy {
    try Policy(tables: [.x86_64: Policy.Table(rules, otherwise: Self.refuse)])
  }

  private func call(_ number: UInt32, _ first: UInt64 = 0, _ second: UInt64 = 0, _ arch: AuditArchitecture = .x86_64)
    -> SeccompData
  {
    SeccompData(nr: number, arch: arch, args: [first, second, 0, 0, 0, 0])
  }

  @Test func theFirstRuleThatMatchesDecides() throws {
    let policy = try policy([
      Policy.Rule(2, where: [condition(0, .equal(5))], Action(.trap)),
      Policy.Rule(2, where: [condition(0, .less(10))], Self.allow),
      Policy.Rule(2, where: [condition(0, .lessOrEqual(20)), condition(1, .notEqual(1))], Action(.killProcess)),
    ])
    #expect(policy.answer(to: call(2, 5)) == Action(.trap))
    #expect(policy.answer(to: call(2, 9)) == Self.allow && policy.answer(to: call(2, 10)) == Action(.killProcess))
    #expect(policy.answer(to: call(2, 10, 1)) == Self.refuse && policy.answer(to: call(2, 21)) == Self.refuse)
    #expect(policy.answer(to: call(3, 5)) == Self.refuse)
    #expect(policy.rule(deciding: call(2, 9)) == Policy.RuleIndex(.x86_64, 1))
    #expect(policy.rule(deciding: call(2, 99)) == nil)
  }

  @Test func allSixtyFourBitsCount() throws {
    let policy = try policy([
      Policy.Rule(1, where: [condition(0, .less(0x1_0000_0003))], Self.allow),
      Policy.Rule(2, where: [condition(1, .masked(0xff00_0000_00ff, equal: 0x1200_0000_0034))], Self.allow),
      Policy.Rule(3, where: [condition(5, .within(0xffff_ffff, 0x1_0000_0000))], Self.allow),
    ])
    #expect(policy.answer(to: call(1, 0x1_0000_0002)) == Self.allow)
    #expect(policy.answer(to: call(1, 0x1_0000_0003)) == Self.refuse)
    #expect(policy.answer(to: call(1, 0x2_0000_0000)) == Self.refuse)
    #expect(policy.answer(to: call(2, 0, 0x7712_ffff_ff34)) == Self.refuse)
    #expect(policy.answer(to: call(2, 0, 0x0f_12ff_ffff_ff34)) == Self.allow)
    for (value, answer): (UInt64, Action) in [
      (0xffff_fffe, Self.refuse), (0xffff_ffff, Self.allow), (0x1_0000_0000, Self.allow), (0x1_0000_0001, Self.refuse),
    ] {
      #expect(policy.answer(to: SeccompData(nr: 3, arch: .x86_64, args: [0, 0, 0, 0, 0, value])) == answer)
    }
  }

  /// x32 is how filters that look at the architecture alone were got around.
  @Test func whatTheRulesDoNotNameIsNotLetIn() throws {
    let table = Policy.Table([Policy.Rule(41, Self.refuse)], otherwise: Self.allow)
    let guarded = try Policy(tables: [.x86_64: table])
    #expect(guarded.answer(to: call(41)) == Self.refuse && guarded.answer(to: call(42)) == Self.allow)
    #expect(guarded.answer(to: call(0x4000_0029)) == Action(.killProcess))
    #expect(guarded.answer(to: call(0x4000_0000 + 42)) == Action(.killProcess))
    #expect(guarded.answer(to: call(42, 0, 0, .i386)) == Action(.killProcess))
    // A negative number is no call of any table's.
    #expect(guarded.answer(to: call(.max)) == Self.allow)
    let covered = try Policy(
      tables: [
        .x86_64: table, .x32: Policy.Table([Policy.Rule(0x4000_0029, Self.refuse)], otherwise: Self.allow),
        .i386: Policy.Table([Policy.Rule(359, Self.refuse)], otherwise: Self.allow),
      ], otherTables: Action(.trap))
    #expect(covered.answer(to: call(0x4000_0029)) == Self.refuse)
    #expect(covered.answer(to: call(0x4000_002a)) == Self.allow)
    #expect(covered.answer(to: call(359, 0, 0, .i386)) == Self.refuse)
    #expect(covered.answer(to: call(359, 0, 0, .aarch64)) == Action(.trap))
  }

  @Test(arguments: [
    (6, ArgumentCondition.Test.equal(0), "arg0 to arg5"), (-1, .equal(0), "arg0 to arg5"),
    (0, .less(0), "'arg0 < 0x0' never holds"), (1, .greater(.max), "'arg1 > 0xffffffffffffffff' never holds"),
    (0, .greaterOrEqual(0), "always holds"), (0, .lessOrEqual(.max), "always holds"),
    (0, .within(0, .max), "always holds"), (0, .masked(0, equal: 0), "always holds"),
    (0, .masked(0xf0, equal: 1), "bits that the mask has not"), (0, .within(5, 4), "ends before it starts"),
  ])
  func conditionsThatSayNothingAreRefused(argument: Int, test: ArgumentCondition.Test, words: String) {
    let error = #expect(throws: ArgumentConditionError.self) { try ArgumentCondition(argument: argument, test) }
    #expect(error.map { "\($0)".contains(words) } == true)
  }

  @Test func rulesThatDecideNothingAreRefused() throws {
    func refusal(_ rules: [Policy.Rule]) -> PolicyError? {
      do {
        _ = try policy(rules)
        return nil
      } catch { return error as? PolicyError }
    }
    let small = try [condition(0, .less(10))]
    let rule = Policy.Rule(1, where: small, Self.allow)
    #expect(refusal([rule, rule])?.reason == .repeats(0))
    #expect(
      refusal([Policy.Rule(7, Self.allow), rule, Policy.Rule(1, where: small, Self.refuse)])?.reason == .contradicts(1))
    // The same calls in other words.
    let same = try [condition(0, .lessOrEqual(9))]
    #expect(refusal([rule, Policy.Rule(1, where: same, Self.refuse)])?.reason == .contradicts(0))
    let error = try refusal([Policy.Rule(1, Self.allow), Policy.Rule(1, where: [condition(3, .equal(1))], Self.refuse)])
    #expect(error == PolicyError(Policy.RuleIndex(.x86_64, 1), .unreachable))
    #expect(
      try refusal([Policy.Rule(1, where: [condition(0, .less(3)), condition(0, .greater(5))], Self.allow)])?.reason
        == .neverMatches)
    // Two rules that cover a third one only together.
    #expect(
      try refusal([
        Policy.Rule(1, where: [condition(0, .less(5))], Self.allow),
        Policy.Rule(1, where: [condition(0, .greater(3))], Self.refuse),
        Policy.Rule(1, where: [condition(1, .equal(3))], Self.allow),
      ])?.reason == .unreachable)
    #expect(refusal([Policy.Rule(0x4000_0001, Self.allow)])?.reason == .numberOutsideTable(0x4000_0001))
    #expect(refusal([Policy.Rule(.max, Self.allow)])?.reason == .numberOutsideTable(.max))
    #expect(throws: PolicyError.self) {
      try Policy(tables: [.x32: Policy.Table([Policy.Rule(1, Self.allow)], otherwise: Self.refuse)])
    }
    // What overlaps without being covered is fine.
    #expect(try refusal([rule, Policy.Rule(1, where: [condition(0, .less(11))], Self.refuse)]) == nil)
  }
}
