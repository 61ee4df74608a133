import CompilerRivals
import FilterCompiler
import TestSupport
import Testing

/// Filters made for the calls that are made most: no slower than the best there can be, and as right as any other.
@Suite struct WeightTests {
  /// As many instructions as calls of these counts run through on average, each of them run.
  private func mean(_ program: Program, _ calls: [(call: SeccompData, count: UInt64)]) -> Double {
    let sum = calls.reduce(0) { $0 + Double($1.count) * Double(program.evaluate($1.call).path.count) }
    return sum / calls.reduce(0) { $0 + Double($1.count) }
  }

  @Test(arguments: 0..<10 as Range<UInt64>) func theMeanIsWithinTwoPerCentOfTheOptimum(group: UInt64) throws {
    for seed in group * 20..<group * 20 + 20 {
      let calls = WeightedCalls(count: 2 + Int(seed % 10), seed: seed)
      guard !calls.isEmpty else { continue }
      let program = try calls.specification.map.compile(calls.specification.options)
      let expected = try #require(program.expectedLength(calls.weights, on: .x86_64))
      #expect(expected <= 1.02 * calls.optimum, "seed \(seed)")
      #expect(expected >= 0.9999 * calls.optimum, "seed \(seed): better than the best there is")
      let run = mean(program, calls.weights.numbers.map { (SeccompData(nr: $0.key), $0.value) })
      #expect(abs(run - expected) < 1e-6, "seed \(seed)")
      try #require(try Prover.difference(FilterStack([program]), calls.specification) == nil, "seed \(seed)")
    }
  }

  @Test func theCallThatIsMadeMostIsDecidedFirst() throws {
    let set = CallSet(allowing: 300, of: 335, seed: 1)
    var options = set.specification.options
    let (often, seldom) = (set.allowed[150], set.allowed[20])
    options.weights = CallWeights(numbers: [often: 1_000_000, seldom: 1])
    let program = try set.specification.map.compile(options)
    // Architecture, number, one comparison, and the answer.
    #expect(program.evaluate(SeccompData(nr: often)).path.count == 5)
    #expect(try Prover.difference(FilterStack([program]), RegionSpecification(set.specification.map, options)) == nil)
  }

  @Test func codeThatCallsMostIsDecidedFirst() throws {
    var map = RegionMap(default: .allow)
    for index in 1...200 as ClosedRange<UInt64> { try map.insert(range(index << 33, index << 33 + 0x1000), .trap) }
    let often = try range(0x77 << 33, 0x77 << 33 + 0x1000)
    let options = CompileOptions(weights: CallWeights(code: [often: 999, try range(0x1000, 0x2000): 1]))
    let program = try map.compile(options)
    // Both words of the pointer, three comparisons, and the answer.
    #expect(program.evaluate(SeccompData(nr: 0, instructionPointer: often.start + 2)).path.count <= 6)
    #expect(try Prover.difference(FilterStack([program]), RegionSpecification(map, options)) == nil)
  }

  @Test func whatNeverHappensIsNotMuchSlower() throws {
    let map = try GapMap(.crowded, .beside, count: 300, seed: 4).map
    let balanced = try map.compile()
    var weights = CallWeights()
    // Each region a thousandth as likely as the one before: left alone, the ways would be as long as the row.
    for (index, region) in map.regions.enumerated() {
      weights.code[region.range] = (1 << 50) >> UInt64(min(index * 2, 50))
    }
    let program = try map.compile(CompileOptions(weights: weights))
    #expect(program.conditionalsOnLongestPath <= balanced.conditionalsOnLongestPath + 12)
    #expect(try Prover.difference(FilterStack([program]), RegionSpecification(map)) == nil)
  }

  @Test(arguments: MapShape.allCases, Architecture.allCases)
  func weightsNeverChangeWhatIsDecided(shape: MapShape, architecture: Architecture) throws {
    var generator = SeededGenerator(seed: 0x3e1 ^ architecture.instructionLength)
    for count in [0, 1, 2, 5, 12, 40] {
      let map = RegionMap.random(shape, count: count, dontCare: true, architecture: architecture, using: &generator)
      var options = CompileOptions.random(for: architecture, using: &generator)
      var weights = CallWeights()
      for number in 0..<400 as Range<UInt32> where Int.random(in: 0..<9, using: &generator) == 0 {
        weights.numbers[number] = UInt64.random(in: 0...1 << 40, using: &generator) >> UInt64(number % 40)
      }
      for region in map.regions where Bool.random(using: &generator) {
        weights.code[region.range] = UInt64.random(in: 0...1 << 40, using: &generator) >> (region.range.start % 40)
      }
      let unshaped = try map.compile(options)
      options.weights = weights
      let program = try map.compile(options)
      _ = try Program(program.instructions)
      #expect(try Prover.difference(FilterStack([program]), FilterStack([unshaped])) == nil)
      if let shaped = program.expectedLength(weights, on: architecture),
        let before = unshaped.expectedLength(weights, on: architecture)
      {
        #expect(shaped <= before, "made for calls that it is slower for")
      }
    }
  }

  @Test func theMeanCountsWhatCallsRunThrough() throws {
    var generator = SeededGenerator(seed: 11)
    let map = RegionMap.random(.mixed, count: 20, dontCare: false, using: &generator)
    let program = try map.compile(CompileOptions(allowedNumbers: [3, 5, 7, 8]))
    var weights = CallWeights(numbers: [3: 5, 4: 7, 8: 1])
    var calls: [(SeccompData, UInt64)] = []
    // Ranges that hold one instruction each.
    for (index, region) in map.regions.enumerated() {
      weights.code[try range(region.range.start, region.range.start + 2)] = UInt64(index)
      for (number, count) in weights.numbers {
        let call = SeccompData(nr: number, instructionPointer: region.range.start + 2)
        calls.append((call, count * UInt64(index)))
      }
    }
    let expected = try #require(program.expectedLength(weights, on: .x86_64))
    #expect(abs(expected - mean(program, calls)) < 1e-6)
    #expect(program.expectedLength(CallWeights(), on: .x86_64) == nil)
  }

  @Test func whatWeightsSayNothingAboutGoesEitherWay() throws {
    let program = try Program(
      [
        FilterCompiler.Operation.loadData(.argumentLow(0)), .branch(.equal, .constant(3), jt: 0, jf: 2),
        .loadData(.number),
        .loadData(.number), .answer(Action(.allow)),
      ].map(\.instruction))
    #expect(program.expectedLength(CallWeights(numbers: [1: 1]), on: .x86_64) == 4)
  }
}
