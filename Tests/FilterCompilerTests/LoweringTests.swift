import FilterCompiler
import Testing
import TestSupport

/// Rules become cubes of bits that mean the same, for libseccomp compiles nothing else rightly.
@Suite struct LoweringTests {
  private static let otherwise = Action(.errno, data: 1)

  private func policy(_ rules: [Policy.Rule]) throws -> Policy {
    try Policy(tables: [.x86_64: Policy.Table(rules, otherwise: Self.otherwise)])
  }

  /// What the cubes make of a call that has rules; nil where two of them that match it do not agree.
  private func answer(_ parts: [LoweredCalls], to call: SeccompData) -> Action? {
    guard let part = parts.first(where: { $0.numbers.contains(call.number) }) else { return Self.otherwise }
    let found = part.cubes.filter { cube in
      cube.number == call.number && cube.bits.allSatisfy { call.arguments[$0.argument] & $0.mask == $0.value }
    }
    return Set(found.map(\.answer)).count > 1 ? nil : found.first?.answer ?? part.otherwise
  }

  /// Every comparison with every constant of four bits, against every argument of four bits; with what is above
  /// them 0, in the other half, and in both.
  @Test(arguments: [UInt64(0), 0x5_0000_0000, 0x7000_0000])
  func comparisonsWithAllSmallNumbers(base: UInt64) throws {
    for first in UInt64(0)..<16 {
      for second in UInt64(0)..<16 {
        let (low, high) = (base + first, base + second)
        let tests: [ArgumentCondition.Test] = [
          .equal(low), .notEqual(low), .less(low), .lessOrEqual(low), .greater(low), .greaterOrEqual(low),
          .masked(low, equal: high), .within(low, high),
        ]
        for test in second == 0 ? tests : Array(tests.suffix(2)) {
          guard let condition = try? ArgumentCondition(argument: 2, test) else { continue }
          let policy = try policy([Policy.Rule(3, where: [condition], Action(.allow))])
          let cubes = try policy.lowered(.x86_64)
          for value in (UInt64(0)..<17).flatMap({ [base + $0, $0, base &- $0, ~$0, base ^ 1 << 63 | $0] }) {
            let call = SeccompData(nr: 3, arch: .x86_64, args: [0, 0, value, 0, 0, 0])
            try #require(answer(cubes, to: call) == policy.answer(to: call), "\(condition), \(hexadecimal(value))")
            #expect(condition.holds(call.arguments) == (policy.answer(to: call) == Action(.allow)))
          }
        }
      }
    }
  }

  @Test func randomRulesInOrder() throws {
    var generator = SeededGenerator(seed: 0x10e7)
    var lowered = 0
    for _ in 0..<120 {
      let made = Policy.random(rules: 6, tables: [.x86_64], using: &generator)
      let policy = try #require(made)
      guard let parts = try? policy.lowered(.x86_64), let table = policy.tables[.x86_64] else { continue }
      lowered += 1
      for call in policy.calls(60, using: &generator)
      where call.architecture == .x86_64 && table.rules.contains(where: { $0.number == call.number }) {
        try #require(answer(parts, to: call) == policy.answer(to: call), "\(policy.tables) \(call)")
      }
    }
    #expect(lowered > 100)
  }

  @Test func commonConditionsTakeFewCubes() throws {
    func count(_ tests: ArgumentCondition.Test...) throws -> Int {
      let conditions = try tests.enumerated().map { try ArgumentCondition(argument: $0.offset, $0.element) }
      let policy = try policy([Policy.Rule(1, where: conditions, Action(.allow))])
      return try policy.lowered(.x86_64).reduce(0) { $0 + $1.cubes.count }
    }
    #expect(try count(.equal(5)) == 1 && count(.masked(0x7e02_0000, equal: 0)) == 1 && count(.less(4096)) == 1)
    #expect(try count(.less(4096), .lessOrEqual(4096)) == 2)
    // The opposite is one.
    #expect(try count(.notEqual(3)) == 1 && count(.within(1, .max - 1)) == 2)
    // 64 by 64 ways to differ from both; two to be equal to one of them, but 65 that exclude each other.
    #expect(try count(.notEqual(3), .notEqual(4)) == 65)
    #expect(try count(.notEqual(3), .notEqual(4), .notEqual(5), .notEqual(6), .notEqual(7), .notEqual(8)) == 6)
  }

  @Test func theRuleThatMakesThemTooManyIsNamed() throws {
    // Neither what it is nor what it is not is a sum of few parts.
    let one = try (0...2).map { try ArgumentCondition(argument: $0, .within(5, 0x7777_7777_7777_7777)) }
    let other = try (3...5).map { try ArgumentCondition(argument: $0, .within(5, 0x7777_7777_7777_7777)) }
    let rules = [
      Policy.Rule(1, where: one, Action(.allow)), Policy.Rule(1, where: other, Action(.killProcess)),
      Policy.Rule(2, Action(.allow)),
    ]
    let policy = try policy(rules)
    let error = #expect(throws: PolicyError.self) { try policy.lowered(.x86_64) }
    #expect(error == PolicyError(Policy.RuleIndex(.x86_64, 1), .tooManyTests))
  }

  @Test func callsThatTakeManyCubesGetFiltersOfTheirOwn() throws {
    let scattered = (0..<50).map { try? ArgumentCondition(argument: 0, .equal(UInt64($0) * 0x1357_9bdf + 3)) }
    let rules = (UInt32(0)..<20).flatMap { number in
      scattered.compactMap { $0.map { Policy.Rule(number, where: [$0], Action(.allow)) } }
    }
    let parts = try policy(rules).lowered(.x86_64)
    #expect(parts.count == 7 && parts.map(\.cubes.count).reduce(0, +) == 1000)
    #expect(parts.flatMap(\.numbers).sorted() == Array(0..<20))
  }
}
