import FilterCompiler
import Testing
import TestSupport

/// Rules become cubes of bits that mean the same, for libseccomp compiles nothing else rightly.
@Suite struct LoweringTests {
  private static let otherwise = Action(.errno, data: 1)

  private func policy(_ rules: [Policy.Rule]) throws -> Policy {
    try Policy(tables: [.x86_64: Policy.Table(rules, otherwise: Self.otherwise)])
  }

  /// What the cubes make of a call; nil where two of them match it.
  private func answer(_ cubes: [ArgumentCube], to call: SeccompData) -> Action? {
    let found = cubes.filter { cube in
      cube.number == call.number && cube.bits.allSatisfy { call.arguments[$0.argument] & $0.mask == $0.value }
    }
    return found.count > 1 ? nil : found.first?.answer ?? Self.otherwise
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
          let cubes = try policy.cubes(of: .x86_64)
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
      guard let cubes = try? policy.cubes(of: .x86_64), let table = policy.tables[.x86_64] else { continue }
      lowered += 1
      for call in policy.calls(60, using: &generator) where call.architecture == .x86_64 {
        let found = cubes.filter { cube in
          cube.number == call.number && cube.bits.allSatisfy { call.arguments[$0.argument] & $0.mask == $0.value }
        }
        try #require(found.count < 2, "\(policy)")
        guard CallTable(.x86_64, number: call.number) == .x86_64 else { continue }
        try #require((found.first?.answer ?? table.otherwise) == policy.answer(to: call), "\(policy.tables) \(call)")
      }
    }
    #expect(lowered > 40)
  }

  @Test func commonConditionsTakeFewCubes() throws {
    func count(_ tests: ArgumentCondition.Test...) throws -> Int {
      let conditions = try tests.enumerated().map { try ArgumentCondition(argument: $0.offset, $0.element) }
      return try policy([Policy.Rule(1, where: conditions, Action(.allow))]).cubes(of: .x86_64).count
    }
    #expect(try count(.equal(5)) == 1 && count(.masked(0x7e02_0000, equal: 0)) == 1 && count(.less(4096)) == 1)
    #expect(try count(.notEqual(3)) == 64 && count(.within(1, .max - 1)) == 126)
    #expect(try count(.less(4096), .lessOrEqual(4096)) == 2)
  }

  @Test func theRuleThatMakesThemTooManyIsNamed() throws {
    let wide = try (0...1).map { try ArgumentCondition(argument: $0, .within(1, .max - 1)) }
    let rules = try [
      Policy.Rule(1, where: [ArgumentCondition(argument: 0, .equal(7))], Action(.trap)),
      Policy.Rule(1, where: wide, Action(.allow)), Policy.Rule(2, Action(.allow)),
    ]
    let policy = try policy(rules)
    let error = #expect(throws: PolicyError.self) { try policy.cubes(of: .x86_64) }
    #expect(error?.rule == Policy.RuleIndex(.x86_64, 1))
    guard case .tooManyTests(let count, Policy.mostTests)? = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(count > 126 * 126)
  }

  /// Every bit of six arguments, so that a count that overflows would be seen.
  @Test func countsThatNoMachineHoldsAreRefusedToo() throws {
    let conditions = try (0..<6).map { try ArgumentCondition(argument: $0, .notEqual(UInt64($0) + 1)) }
    let policy = try policy([Policy.Rule(1, where: conditions, Action(.allow))])
    #expect(throws: PolicyError.self) { try policy.cubes(of: .x86_64) }
  }
}
