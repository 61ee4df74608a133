import FilterCompiler
import TestSupport
import Testing

/// A body that is read off the rules decides as the rules do, and as one that was compiled for them.
@Suite struct PolicyReadingTests {
  @Test func everyBodyIsProvedAgainstItsRules() throws {
    var generator = SeededGenerator(seed: 0x9e5)
    for _ in 0..<40 {
      let policy = try #require(
        Policy.random(rules: 6, tables: [.x86_64, .x32, .i386].shuffled(using: &generator), using: &generator))
      let map = try RegionMap(architecture: .x86_64, default: .policy(PolicyBody(readOff: policy)))
      let program = try map.compile()
      let difference = try Prover.difference(FilterStack([program]), RegionSpecification(map))
      try #require(difference == nil, "\(policy.tables)")
      let compiled = try RegionMap(architecture: .x86_64, default: .policy(PlainPolicyProgram.body(of: policy)))
        .compile()
      try #require(try Prover.difference(FilterStack([program]), FilterStack([compiled])) == nil, "\(policy.tables)")
      for call in policy.calls(50, using: &generator) {
        try #require(program.evaluate(call).action == policy.answer(to: call), "\(call)")
      }
    }
  }
}
