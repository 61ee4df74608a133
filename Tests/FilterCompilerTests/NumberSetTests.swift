import CompilerRivals
import FilterCompiler
import Testing

/// Filters on the number alone, against what other compilers make of the same sets of calls.
@Suite struct NumberSetTests {
  /// 300 of the 335 calls that x86-64 has.
  private static let sets = (1...16).map { CallSet(allowing: 300, of: 335, seed: $0) }
  /// Fewer, for what takes long.
  private static let few = Array(sets.prefix(4))

  private func compiled(_ set: CallSet) throws -> Program {
    try set.specification.map.compile(set.specification.options)
  }

  /// The cost that the compiler makes least: eBPF instructions times instructions on the longest way.
  private func cost(_ program: Program) -> Int { program.translatedLength * program.pathLengths.longest }

  @Test(arguments: sets) func itIsSmallAndItsWaysAreShort(set: CallSet) throws {
    let program = try compiled(set)
    #expect(program.instructions.count <= set.boundaries + 8)
    var height = 0
    while 1 << height < set.boundaries + 1 { height += 1 }
    #expect(program.pathLengths.longest <= height + 5)
    #expect(Double(program.translatedLength) <= 1.6 * Double(program.instructions.count))
    #expect(try Prover.difference(FilterStack([program]), set.specification) == nil)
  }

  @Test(arguments: few) func itCostsLessThanWhatOthersCompile(set: CallSet) throws {
    let cost = try cost(compiled(set))
    #expect(try cost < self.cost(ChromiumCompiler.compile(set)))
    #expect(try cost < self.cost(MinijailCompiler.compile(set)))
    for optimization in LibseccompCompiler.Optimization.allCases {
      #expect(try cost < self.cost(#require(LibseccompCompiler.compile(set, optimization))))
    }
  }

  /// For a few runs of numbers all trees have been looked at: none is better, and few are.
  @Test func smallSetsCostHardlyMoreThanTheyMust() throws {
    var ratios: [Double] = []
    for seed in 1...400 as ClosedRange<UInt64> {
      let set = CallSet(runs: 2 + Int(seed % 10), seed: seed)
      ratios.append(try Double(cost(compiled(set))) / Double(set.leastCost))
      #expect((1...1.2).contains(ratios[ratios.count - 1]), "seed \(seed)")
    }
    #expect(ratios.reduce(0, +) <= 1.02 * Double(ratios.count))
    #expect(ratios.count { $0 == 1 } >= 300)
  }

  @Test(arguments: [1, 5, 50, 300], [335, 400] as [UInt32]) func setsOfEverySizeAreDecidedRight(
    allowed: Int, count: UInt32
  ) throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      let set = CallSet(allowing: allowed, of: count, seed: seed)
      #expect(try Prover.difference(FilterStack([compiled(set)]), set.specification) == nil)
    }
  }

  /// What is compared with does the same job.
  @Test(arguments: few) func theOthersAllowTheSameCalls(set: CallSet) throws {
    for program in try [ChromiumCompiler.compile(set), MinijailCompiler.compile(set)] {
      #expect(try Prover.difference(FilterStack([program]), set.specification) == nil)
    }
    let ours = try compiled(set)
    for optimization in LibseccompCompiler.Optimization.allCases {
      let program = try #require(LibseccompCompiler.compile(set, optimization))
      for number in 0...400 as ClosedRange<UInt32> {
        let call = SeccompData(nr: number)
        #expect(program.evaluate(call).action == ours.evaluate(call).action)
      }
      let foreign = SeccompData(nr: 1, arch: .i386)
      #expect(program.evaluate(foreign).action == ours.evaluate(foreign).action)
    }
  }
}
