import FilterCompiler
import Testing
import TestSupport

/// What ``Prover`` says of two sides is so for every call.
@Suite struct ProverTests {
  private typealias Instructions = [FilterCompiler.Operation]

  private func program(_ operations: Instructions) throws -> Program { try Program(operations.map(\.instruction)) }

  /// Traps where `test`, which leaves its comparison to the caller, holds.
  private func trapping(_ steps: Instructions, if comparison: FilterCompiler.Operation.Comparison, _ constant: UInt32)
    throws -> Program
  {
    try program(
      steps + [
        .branch(comparison, .constant(constant), jt: 0, jf: 1), .answer(Action(.trap)), .answer(Action(.allow)),
      ])
  }

  private func difference(_ left: Program, _ right: Program) throws -> Counterexample? {
    try Prover.difference(FilterStack([left]), FilterStack([right]))
  }

  // MARK: Maps

  @Test(arguments: MapShape.allCases, [false, true])
  func whatIsCompiledIsProved(shape: MapShape, dontCare: Bool) throws {
    var generator = SeededGenerator(seed: 0x9001)
    let gate = try AddressRange(start: 0x7fff_0000, end: 0x7fff_1000)
    let options = [
      CompileOptions(), CompileOptions(checkedArchitectures: [.x86_64, .i386]),
      CompileOptions(checkedArchitectures: [.i386], otherArchitecture: .errno(38), allowedNumbers: [0, 1, 3]),
      CompileOptions(allowedNumbers: [39, 110], gate: gate, globalTrapNumbers: [13, 14, 131], trapData: 5),
    ]
    for (index, count) in [0, 1, 2, 3, 5, 20, 100].enumerated() {
      let map = RegionMap.random(shape, count: count, dontCare: dontCare, using: &generator)
      let options = options[index % options.count]
      let filter = try map.compile(options)
      let found = try Prover.difference(FilterStack([filter]), RegionSpecification(map, options))
      #expect(found == nil, "\(map)")
    }
  }

  @Test func aBoundThatForgetsTheInstructionsLengthIsFound() throws {
    var map = RegionMap(default: .allow)
    try map.insert(AddressRange(start: 0x7f12_3456_0000, end: 0x7f12_3457_0000), .trap)
    // start <= ip < end, as one would write it by hand.
    func naive(_ first: UInt32, _ end: UInt32) throws -> Program {
      try program([
        .loadData(.instructionPointerHigh), .branch(.equal, .constant(0x7f12), jt: 0, jf: 4),
        .loadData(.instructionPointerLow), .branch(.greaterOrEqual, .constant(first), jt: 0, jf: 2),
        .branch(.greaterOrEqual, .constant(end), jt: 1, jf: 0), .answer(Action(.trap)), .answer(Action(.allow)),
      ])
    }
    let wrong = try FilterStack([naive(0x3456_0000, 0x3457_0000)])
    let found = try #require(try Prover.difference(wrong, RegionSpecification(map)))
    #expect(found.call.instructionPointer == 0x7f12_3456_0000 && found.left == Action(.trap))
    #expect(found.right == Action(.allow) && found.call.architecture == AuditArchitecture(.host))
    let late = try #require(
      try Prover.difference(FilterStack([naive(0x3456_0002, 0x3457_0000)]), RegionSpecification(map)))
    #expect(late.call.instructionPointer == 0x7f12_3457_0000 && late.left == Action(.allow))
    let right = try FilterStack([naive(0x3456_0002, 0x3457_0001)])
    #expect(try Prover.difference(right, RegionSpecification(map)) == nil)
  }

  @Test func onlyDontCareGapsAreFree() throws {
    var cared = RegionMap(default: .allow)
    try cared.insert(AddressRange(start: 0x1_0000, end: 0x2_0000), .trap)
    var map = cared
    try map.insertDontCare(AddressRange(start: 0x2_0000, end: 0x3_0000))
    let filter = FilterStack([try trapping([.loadData(.instructionPointerLow)], if: .greaterOrEqual, 0x1_0002)])
    // Wrong above the gap, and in what lies above the first 4 GiB.
    let found = try #require(try Prover.difference(filter, RegionSpecification(map)))
    #expect(found.call.instructionPointer == 0x3_0002)
    #expect(try Prover.difference(filter, RegionSpecification(cared))?.call.instructionPointer == 0x2_0001)
  }

  @Test func aStackIsProvedAsOne() throws {
    var (a, b, both) = (RegionMap(default: .allow), RegionMap(default: .allow), RegionMap(default: .allow))
    let (low, high) = try (AddressRange(start: 0x1000, end: 0x3000), AddressRange(start: 0x2000, end: 0x4000))
    try a.insert(low, .errno(1))
    try b.insert(high, .trap)
    try both.insert(AddressRange(start: 0x1000, end: 0x2000), .errno(1))
    try both.insert(high, .trap)
    let stack = FilterStack([try a.compile(), try b.compile()])
    // The instruction that straddles 0x2000 lies wholly in the first filter's region.
    let found = try #require(try Prover.difference(stack, RegionSpecification(both)))
    #expect(found.call.instructionPointer == 0x2001 && found.left == Action(.errno, data: 1))
    #expect(try Prover.difference(stack, FilterStack(stack.programs.reversed())) == nil)
    // Of equally strict answers the newest filter's data wins, so here the order matters.
    try b.insert(AddressRange(start: 0x8000, end: 0x9000), .errno(2))
    try a.insert(AddressRange(start: 0x8000, end: 0x9000), .errno(1))
    let tied = FilterStack([try a.compile(), try b.compile()])
    let swapped = try #require(try Prover.difference(tied, FilterStack(tied.programs.reversed())))
    #expect(swapped.left == Action(.errno, data: 2) && swapped.right == Action(.errno, data: 1))
    #expect(try Prover.difference(FilterStack([]), RegionSpecification(RegionMap(default: .allow))) == nil)
  }

  @Test func dataCountsUnlessTheCallIsAllowed() throws {
    func answers(_ action: Action) throws -> Program { try program([.answer(action)]) }
    #expect(try difference(answers(Action(.allow)), answers(Action(.allow, data: 3))) == nil)
    #expect(try difference(answers(Action(.trap)), answers(Action(.trap, data: 3))) != nil)
  }

  // MARK: Arithmetic

  @Test func oneMeaningInDifferentWords() throws {
    let low = DataWord.argumentLow(2)
    let equal: [(Instructions, FilterCompiler.Operation.Comparison, UInt32)] = [
      ([.loadData(low), .compute(.and, .constant(0xf0))], .equal, 0x30),
      ([.loadData(low), .compute(.shiftRight, .constant(4)), .compute(.and, .constant(15))], .equal, 3),
      ([.loadData(low), .compute(.shiftLeft, .constant(24)), .compute(.shiftRight, .constant(28))], .equal, 3),
      ([.loadData(low), .compute(.divide, .constant(16)), .compute(.and, .constant(0xf))], .equal, 3),
      ([.loadData(low), .compute(.or, .constant(0xffff_ff0f))], .equal, 0xffff_ff3f),
      ([.loadData(low), .compute(.and, .constant(0xf0)), .compute(.exclusiveOr, .constant(0x30))], .equal, 0),
      ([.loadData(low), .compute(.and, .constant(0xf0)), .compute(.subtract, .constant(0x30))], .equal, 0),
      ([.loadData(low), .compute(.and, .constant(0xf0)), .compute(.multiply, .constant(5))], .equal, 0xf0),
      ([.loadData(low), .compute(.and, .constant(0xf0)), .negate], .equal, 0xffff_ffd0),
      // By way of X and of a memory cell; the constant in X, and added to the left side.
      ([.loadData(low), .copyToIndex, .load(.accumulator, .constant(0xf0)), .compute(.and, .index)], .equal, 0x30),
      (
        [
          .load(.index, .constant(0xf0)), .store(.index, 7), .loadData(low), .load(.index, .memory(7)),
          .compute(.and, .index),
        ], .equal, 0x30
      ),
      (
        [.loadData(low), .compute(.and, .constant(0xf0)), .load(.index, .length), .compute(.add, .index)], .equal, 0x70
      ),
    ]
    let first = try trapping(equal[0].0, if: equal[0].1, equal[0].2)
    for (steps, comparison, constant) in equal {
      #expect(try difference(first, trapping(steps, if: comparison, constant)) == nil, "\(steps)")
      let found = try #require(try difference(first, trapping(steps, if: comparison, constant &+ 16)))
      #expect(first.evaluate(found.call).action == found.left && found.left != found.right)
    }
  }

  @Test func quotientsAndProductsAreExact() throws {
    // A / 7 >= 100 is A >= 700; A / d for a d of more than 31 bits.
    let word = Instructions([.loadData(.number)])
    #expect(
      try difference(
        trapping(word + [.compute(.divide, .constant(7))], if: .greaterOrEqual, 100),
        trapping(word, if: .greaterOrEqual, 700)) == nil)
    #expect(
      try difference(
        trapping(word + [.compute(.divide, .constant(0xf000_0001))], if: .equal, 1),
        trapping(word, if: .greaterOrEqual, 0xf000_0001)) == nil)
    // 3 * A == 5 has one solution modulo 2^32.
    #expect(
      try difference(
        trapping(word + [.compute(.multiply, .constant(3))], if: .equal, 5), trapping(word, if: .equal, 0x5555_5557))
        == nil)
    // Division by a register that is 0 ends the program with the answer 0.
    #expect(
      try difference(
        program(word + [.compute(.divide, .index), .answer(Action(.allow))]), program([.answer(Action(.killThread))]))
        == nil)
  }

  @Test func computedAnswers() throws {
    // errno (nr & 3)
    let computed = try program([
      .loadData(.number), .compute(.and, .constant(3)), .compute(.or, .constant(0x5_0000)), .answerAccumulator,
    ])
    let listed = try program([
      .loadData(.number), .compute(.and, .constant(3)), .branch(.equal, .constant(0), jt: 2, jf: 0),
      .branch(.equal, .constant(1), jt: 2, jf: 0), .branch(.equal, .constant(2), jt: 2, jf: 3),
      .answer(Action(.errno)), .answer(Action(.errno, data: 1)), .answer(Action(.errno, data: 2)),
      .answer(Action(.errno, data: 3)),
    ])
    #expect(try difference(computed, listed) == nil)
  }

  @Test func whatCannotBeReasonedAboutIsSaid() throws {
    let twoWords = Instructions([
      .loadData(.argumentLow(0)), .copyToIndex, .loadData(.argumentLow(1)),
    ])
    func refusal(_ program: Program) -> ProofError? {
      do {
        // Even of two that are the same: nothing is believed unseen.
        _ = try Prover.difference(FilterStack([]), FilterStack([program]))
        return nil
      } catch { return error }
    }
    let product = refusal(try trapping(twoWords + [.compute(.multiply, .index)], if: .equal, 1))
    #expect(product?.instruction == 3 && product?.filter == 0)
    #expect(product?.reason == .arithmetic(.compute(.multiply, .index)))
    #expect(product.map { "\($0)".hasPrefix("offset 24: cannot reason about instruction 3: ") } == true)
    #expect(refusal(try program([.loadData(.number), .answerAccumulator]))?.reason == .manyAnswers)
    let order = try program(
      twoWords + [.branch(.greater, .index, jt: 0, jf: 1), .answer(Action(.trap)), .answer(Action(.allow))])
    let entangled = refusal(order)
    #expect(entangled?.reason == .tooLarge && entangled?.instruction == 3)
  }

  @Test func aProgramThatBuildsAllCombinationsEnds() throws {
    // Each bit of the number adds a constant or not: 2^32 contents of A after the last one.
    var steps: Instructions = [.load(.accumulator, .constant(0)), .store(.accumulator, 0)]
    for bit in 0..<32 {
      steps += [
        .loadData(.argumentLow(0)), .branch(.anyBit, .constant(1 << UInt32(bit)), jt: 0, jf: 3),
        .load(.accumulator, .memory(0)), .compute(.add, .constant(UInt32(bit) * 0x0101_0101 + 1)),
        .store(.accumulator, 0),
      ]
    }
    let entangled = try trapping(steps + [.load(.accumulator, .memory(0))], if: .equal, 12345)
    #expect(throws: ProofError.self) {
      try Prover.difference(FilterStack([entangled]), FilterStack([entangled]))
    }
  }

  // MARK: Size

  @Test func nineteenHundredInstructionsAndEveryKindOfMutant() throws {
    var generator = SeededGenerator(seed: 0x1900)
    var map = RegionMap.random(.oneEach, count: 900, dontCare: false, using: &generator)
    while try map.compile().instructions.count < 1900 {
      map = RegionMap.random(.oneEach, count: map.regions.count + 20, dontCare: false, using: &generator)
    }
    let program = try map.compile()
    #expect(try difference(program, Program(raw: program.encoded())) == nil)
    for place in [2, program.instructions.count / 2, program.instructions.count - 10] {
      var mutant = program.instructions
      let index = try #require(mutant[place...].firstIndex { $0.code == 0x35 })
      mutant[index].k &+= 1
      let other = try Program(mutant)
      let found = try #require(try difference(program, other))
      #expect(program.evaluate(found.call).action == found.left)
      #expect(other.evaluate(found.call).action == found.right && found.left != found.right)
    }
  }
}
