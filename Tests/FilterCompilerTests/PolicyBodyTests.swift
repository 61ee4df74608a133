import FilterCompiler
import Testing
import TestSupport

/// Only what decides every call as the rules say becomes a body, and a body is linked under its region.
@Suite struct PolicyBodyTests {
  private static let (allow, refuse) = (Action(.allow), Action(.errno, data: 1))

  private func policy(_ rules: [Policy.Rule], otherwise: Action = refuse) throws -> Policy {
    try Policy(name: "p", tables: [.x86_64: Policy.Table(rules, otherwise: otherwise)])
  }

  private func compare(_ map: RegionMap, _ options: CompileOptions = CompileOptions()) throws -> Counterexample? {
    try Prover.difference(FilterStack([map.compile(options)]), RegionSpecification(map, options))
  }

  /// A reader that may do nothing else, in a program that is free.
  private func plugin() throws -> RegionMap {
    let small = try ArgumentCondition(argument: 2, .lessOrEqual(4096))
    let policy = try policy([
      Policy.Rule(0, Self.allow), Policy.Rule(1, where: [small], Self.allow), Policy.Rule(202, Self.allow),
    ])
    var map = RegionMap(architecture: .x86_64, default: .allow)
    try map.insert(range(0x7f12_3456_0000, 0x7f12_3457_0000), .policy(PlainPolicyProgram.body(of: policy)))
    return map
  }

  @Test func everyWrongConstantIsFound() throws {
    let conditions = try [
      ArgumentCondition(argument: 0, .within(3, 0x1_0000_0005)),
      ArgumentCondition(argument: 1, .masked(0xff, equal: 8)),
    ]
    let policy = try policy([
      Policy.Rule(9, where: conditions, Self.allow), Policy.Rule(9, where: [conditions[1]], Action(.trap)),
    ])
    let program = try #require(try PlainPolicyProgram.parts(of: policy).first?.program)
    #expect(throws: Never.self) { try PolicyBody(policy, parts: [PolicyPart(.x86_64, [9], program)], seenAs: .x86_64) }
    var found = 0
    for (place, operation) in program.operations.enumerated() {
      guard case .branch = operation else { continue }
      var instructions = program.instructions
      instructions[place].k ^= 1
      let mutant = try Program(instructions)
      guard try Prover.difference(FilterStack([program]), FilterStack([mutant])) != nil else { continue }
      let error = #expect(throws: PolicyBodyError.self) {
        try PolicyBody(policy, parts: [PolicyPart(.x86_64, [9], mutant)], seenAs: .x86_64)
      }
      guard case .wrong(let difference)? = error?.reason else { continue }
      found += 1
      #expect(
        difference.right == policy.answer(to: difference.call) && error?.rule == policy.rule(deciding: difference.call))
      #expect(difference.left == mutant.evaluate(difference.call).action)
    }
    #expect(found > 8)
  }

  @Test func aMissingProgramIsNoBody() throws {
    let policy = try policy([Policy.Rule(9, Self.allow)])
    let error = #expect(throws: PolicyBodyError.self) { try PolicyBody(policy, parts: [], seenAs: .x86_64) }
    #expect(error?.reason == .missing)
  }

  @Test func thePolicyDecidesInItsRegionOnly() throws {
    let program = try plugin().compile()
    func answer(_ number: UInt32, _ pointer: UInt64, _ third: UInt64 = 0) -> Action {
      program.evaluate(
        SeccompData(nr: number, arch: .x86_64, instructionPointer: pointer, args: [0, 0, third, 0, 0, 0])
      ).action
    }
    for pointer: UInt64 in [0x7f12_3456_0002, 0x7f12_3457_0000] {
      #expect(answer(0, pointer) == Self.allow && answer(2, pointer) == Self.refuse)
      #expect(answer(1, pointer, 4096) == Self.allow && answer(1, pointer, 4097) == Self.refuse)
      #expect(answer(1, pointer, 1 << 32) == Self.refuse && answer(0x4000_0000, pointer) == Action(.killProcess))
    }
    for pointer: UInt64 in [0x7f12_3456_0001, 0x7f12_3457_0001, 0] {
      #expect(answer(2, pointer) == Self.allow && answer(0x4000_0000, pointer) == Self.allow)
    }
    #expect(try compare(plugin()) == nil)
  }

  /// `read` and `futex` are allowed everywhere, so the bitmap has to have them.
  @Test func whatAllRegionsAllowIsDecidedBeforeTheAddressIsRead() throws {
    let stack = FilterStack([try plugin().compile()])
    #expect(stack.isCached(0, on: .x86_64) && stack.isCached(202, on: .x86_64))
    #expect(!stack.isCached(1, on: .x86_64) && !stack.isCached(2, on: .x86_64))
  }

  @Test func rangesOfBitsAreOneComparisonAgain() throws {
    // As prefixes it would be dozens of tests.
    let condition = try ArgumentCondition(argument: 0, .within(0x1235, 0x9_8765_4321))
    let body = try PlainPolicyProgram.body(of: policy([Policy.Rule(9, where: [condition], Self.allow)]))
    let program = try RegionMap(architecture: .x86_64, default: .policy(body)).compile()
    // Architecture, number and x32 (6), either bound with its upper half (8), the answers (3).
    #expect(program.instructions.count <= 17, "\(Disassembler().text(of: program))")
  }

  @Test func masksAreTestsOfBits() throws {
    let conditions = try [
      ArgumentCondition(argument: 2, .masked(4, equal: 0)), ArgumentCondition(argument: 3, .masked(0xf_0000, equal: 0)),
    ]
    let body = try PlainPolicyProgram.body(of: policy([Policy.Rule(9, where: conditions, Self.allow)]))
    let program = try RegionMap(architecture: .x86_64, default: .policy(body)).compile()
    #expect(program.instructions.count <= 13, "\(Disassembler().text(of: program))")
  }

  @Test func policiesMergeWithNeighboursThatDecideAlike() throws {
    let body = try PlainPolicyProgram.body(of: policy([Policy.Rule(9, Self.allow)]))
    let same = try PlainPolicyProgram.body(of: policy([Policy.Rule(9, Self.allow)]))
    var map = RegionMap(architecture: .x86_64, default: .allow)
    try map.insert(range(0x1000, 0x2000), .policy(body))
    try map.insert(range(0x2000, 0x3000), .policy(same))
    #expect(map.regions.count == 1)
    #expect(throws: RegionError.self) { try map.insert(range(0x2800, 0x3800), .trap) }
  }

  /// Random policies in random maps, with all stages: the filter is proved, and run on calls at the edges.
  @Test(arguments: MapShape.allCases) func randomPoliciesInRandomMaps(shape: MapShape) throws {
    var generator = SeededGenerator(seed: 0x9011c7)
    let gate = try AddressRange(start: 0x7fff_0000, end: 0x7fff_1000)
    for round in 0..<7 {
      let tables: [[CallTable]] = [[.x86_64], [.x86_64, .x32], [.x86_64, .i386], [.i386], CallTable.allCases]
      let policies = try (0..<3).map { _ in
        let made = Policy.random(rules: 3, tables: tables[round % tables.count], using: &generator)
        return try #require(made)
      }
      let bodies = try policies.map { Disposition.policy(try PlainPolicyProgram.body(of: $0)) }
      let shapes = RegionMap.random(shape, count: 6, dontCare: true, using: &generator)
      var map = RegionMap(architecture: .x86_64, default: round % 3 == 0 ? bodies[0] : shapes.defaultDisposition)
      for (index, region) in shapes.regions.enumerated() {
        try map.insert(region.range, index % 2 == 0 ? bodies[index % 3] : region.disposition)
      }
      for gap in shapes.dontCare { try map.insertDontCare(gap) }
      let options = [
        CompileOptions(), CompileOptions(checkedArchitectures: [.x86_64], otherArchitecture: bodies[1]),
        CompileOptions(
          checkedArchitectures: [.x86_64, .i386], x32: .errno(38), allowedNumbers: [39], gate: gate,
          globalTrapNumbers: [0, 0x4000_0001], foreignTrapNumbers: [.i386: [1]], trapData: 3),
        CompileOptions(x32: bodies[2], foreignAllowedNumbers: [.i386: [40], .aarch64: [1]]),
      ][round % 4]
      let found = try compare(map, options)
      #expect(found == nil, "\(map) \(options)")
      let program = try map.compile(options)
      for call in policies.flatMap({ $0.calls(20, using: &generator) }) {
        guard options == CompileOptions(),
          let piece = map.pieces().last(where: { $0.first <= call.instructionPointer }),
          let disposition = piece.disposition
        else { continue }
        try #require(program.evaluate(call).action == disposition.answer(to: call), "\(call)")
      }
    }
  }

  @Test func theGlobalSetCoversOtherArchitecturesWhereThatIsAskedFor() throws {
    let map = RegionMap(architecture: .x86_64, default: .allow)
    let options = CompileOptions(
      globalTrapNumbers: [13, 0x4000_0200], foreignTrapNumbers: [.i386: [174]], trapData: 9)
    let program = try map.compile(options)
    func answer(_ number: UInt32, _ architecture: AuditArchitecture) -> Action {
      program.evaluate(SeccompData(nr: number, arch: architecture)).action
    }
    #expect(answer(13, .x86_64) == Action(.trap, data: 9) && answer(0x4000_0200, .x86_64) == Action(.trap, data: 9))
    #expect(answer(174, .i386) == Action(.trap, data: 9) && answer(13, .i386) == Self.allow)
    #expect(answer(174, .x86_64) == Self.allow && answer(174, .aarch64) == Self.allow)
    #expect(try compare(map, options) == nil)
    #expect(throws: CompileError.contradictoryForeignNumber(174, .i386)) {
      try map.compile(CompileOptions(foreignAllowedNumbers: [.i386: [174]], foreignTrapNumbers: [.i386: [174]]))
    }
  }

  @Test func x32CanBeTurnedAway() throws {
    let map = RegionMap(architecture: .x86_64, default: .allow)
    let options = CompileOptions(x32: .errno(38))
    let program = try map.compile(options)
    func answer(_ number: UInt32) -> Action { program.evaluate(SeccompData(nr: number, arch: .x86_64)).action }
    #expect(answer(0x4000_0000) == Action(.errno, data: 38) && answer(0x7fff_ffff) == Action(.errno, data: 38))
    #expect(answer(0x3fff_ffff) == Self.allow && answer(.max) == Self.allow)
    #expect(try compare(map, options) == nil)
  }
}
