import FilterCompiler
import TestSupport
import Testing

/// Calls that trap from anywhere by their arguments.
@Suite struct CallPatternTests {
  /// Of every kind of condition, with arguments on both sides of each constant; and proved for every call.
  @Test func patternsTrapWhatTheyMatchAndNothingElse() throws {
    var generator = SeededGenerator(seed: 0xca11)
    let gate = try range(0x4000, 0x5000)
    var (trapped, passed) = (0, 0)
    for round in 0..<60 {
      let policy = try #require(Policy.random(rules: 4, tables: [.x86_64], using: &generator))
      let patterns = policy.tables[.x86_64]?.rules.map { CallPattern($0.number, where: $0.conditions) } ?? []
      var map = RegionMap(architecture: .x86_64, default: .allow)
      try map.insert(range(0x1000, 0x2000), .errno(1))
      let options = CompileOptions(gate: gate, globalTrapPatterns: patterns, trapData: 9)
      let program = try map.compile(options)
      for var call in policy.calls(150, using: &generator) {
        if !round.isMultiple(of: 5) { call.architecture = .x86_64 }
        let isGate = 0x4002...0x5000 ~= call.instructionPointer
        let isRegion = 0x1002...0x2000 ~= call.instructionPointer
        let matches = call.architecture == .x86_64 && patterns.contains { $0.matches(call) }
        let wanted =
          isGate
          ? Action(.allow)
          : matches ? Action(.trap, data: 9) : Action(isRegion ? .errno : .allow, data: isRegion ? 1 : 0)
        try #require(program.evaluate(call).action == wanted, "\(call) of \(patterns)")
        if matches, !isGate { trapped += 1 } else { passed += 1 }
      }
      try #require(
        try Prover.difference(FilterStack([program]), RegionSpecification(map, options)) == nil, "\(patterns)")
    }
    #expect(trapped > 500 && passed > 500, "\(trapped) and \(passed) cases say little")
  }

  @Test func theProverTellsPatternsApart() throws {
    let map = RegionMap(architecture: .x86_64, default: .allow)
    func options(_ mask: UInt64) throws -> CompileOptions {
      try CompileOptions(globalTrapPatterns: [
        CallPattern(10, where: [ArgumentCondition(argument: 2, .masked(mask, equal: mask))])
      ])
    }
    let found = try #require(
      try Prover.difference(FilterStack([map.compile(options(0x40))]), RegionSpecification(map, options(0x60))))
    #expect(found.call.number == 10 && found.call.arguments[2] & 0x60 == 0x40)
  }

  @Test func aPatternContradictsTheSameNumberAllowed() throws {
    let map = RegionMap(architecture: .x86_64, default: .allow)
    #expect(throws: CompileError.contradictoryNumber(14)) {
      try map.compile(CompileOptions(allowedNumbers: [14], globalTrapPatterns: [CallPattern(14)]))
    }
  }

  /// Numbers that nothing is said of are told apart before any argument is read.
  @Test func otherCallsMeetComparisonsOfTheirNumberAlone() throws {
    let map = RegionMap(architecture: .x86_64, default: .allow)
    let patterns = try (0..<20).map {
      try CallPattern(100 + 2 * $0, where: [ArgumentCondition(argument: 0, .greater(0x1_2345_6789))])
    }
    let program = try map.compile(CompileOptions(globalTrapPatterns: patterns))
    for number: UInt32 in [0, 101, 119, 200] {
      let path = program.evaluate(SeccompData(nr: number, arch: .x86_64)).path
      let arguments = path.filter { place in
        guard case .loadData(let word) = program.operations[place] else { return false }
        return word.index >= 4
      }
      #expect(arguments.isEmpty && path.count <= 12, "call \(number) takes \(path.count) instructions")
    }
  }
}
