import FilterCompiler
import Testing

@Suite struct CostTests {
  private typealias Instructions = [FilterCompiler.Operation]

  private func program(_ operations: Instructions) throws -> Program { try Program(operations.map(\.instruction)) }

  @Test func aWayCountsOnceAndImpossibleOnesDoNot() throws {
    let tree = try program([
      .loadData(.number), .branch(.greaterOrEqual, .constant(10), jt: 0, jf: 3),
      .branch(.equal, .constant(3), jt: 0, jf: 1), .answer(Action(.trap)), .answer(Action(.log)),
      .answer(Action(.allow)),
    ])
    // What is 10 or more is not 3: two ways, of 4 and 3 instructions.
    let lengths = tree.pathLengths
    #expect(lengths.ways == 2 && lengths.shortest == 3 && lengths.longest == 4 && lengths.average == 3.5)
    let straight = try program([.answer(Action(.allow))]).pathLengths
    #expect(straight.ways == 1 && straight.shortest == 1 && straight.longest == 1 && straight.average == 1)
  }

  @Test func manyWaysAreCountedWithoutGoingThem() throws {
    var steps: Instructions = []
    for bit in 0..<1000 {
      steps += [
        .loadData(.argumentLow(bit % 6)), .branch(.anyBit, .constant(1 << UInt32(bit % 32)), jt: 0, jf: 1),
        .store(.accumulator, 0),
      ]
    }
    let lengths = try program(steps + [.answer(Action(.allow))]).pathLengths
    #expect(lengths.shortest == 2001 && lengths.longest == 3001 && lengths.average == 2501)
    #expect(lengths.ways > 1e300)
  }

  @Test func thereCanBeMoreWaysThanNumbers() throws {
    let test = FilterCompiler.Operation.branch(.anyBit, .constant(1), jt: 0, jf: 1)
    // After a load nothing is known of the word, so every test can turn out either way.
    let steps = (0..<2000).flatMap { _ in [test, .negate] }
    let lengths = try program([.loadData(.number)] + steps + [.answer(Action(.allow))]).pathLengths
    #expect(lengths.ways == .greatestFiniteMagnitude)
    #expect(lengths.shortest == 2002 && lengths.longest == 4002 && abs(lengths.average - 3002) < 0.001, "\(lengths)")
  }

  @Test func divisionByZeroEndsAWay() throws {
    func lengths(_ index: FilterCompiler.Operation) throws -> PathLengths {
      try program([.loadData(.number), index, .compute(.divide, .index), .answer(Action(.allow))]).pathLengths
    }
    let unknown = try lengths(.copyToIndex)
    #expect(unknown.ways == 2 && unknown.shortest == 3 && unknown.longest == 4 && unknown.average == 3.5)
    let never = try lengths(.load(.index, .constant(2)))
    #expect(never.ways == 1 && never.shortest == 4 && never.longest == 4)
    let always = try lengths(.load(.index, .constant(0)))
    #expect(always.ways == 1 && always.shortest == 3 && always.longest == 3)
  }

  /// The allow bitmap, as `seccomp_is_const_allow` reads programs.
  @Test func theBitmapKnowsTheNumberAndTheArchitectureAlone() throws {
    func cached(_ steps: Instructions) throws -> Bool {
      FilterStack([try program(steps)]).isCached(39, on: .x86_64)
    }
    let allow = FilterCompiler.Operation.answer(Action(.allow))
    #expect(try cached([allow]))
    #expect(
      try cached([
        .loadData(.number), .compute(.and, .constant(7)), .branch(.equal, .constant(7), jt: 0, jf: 1), allow,
        .answer(Action(.log)),
      ]))
    #expect(try cached([.loadData(.architecture), .jump(1), .answer(Action(.trap)), allow]))
    // Allowed, but not plainly; and all that the kernel's emulator does not follow, needed or not.
    #expect(try !cached([.answer(Action(.allow, data: 1))]))
    #expect(try !cached([.answer(Action(.log))]))
    #expect(try !cached([.loadData(.instructionPointerLow), allow]))
    #expect(try !cached([.loadData(.argumentHigh(5)), allow]))
    #expect(try !cached([.load(.accumulator, .constant(0)), allow]))
    #expect(try !cached([.load(.accumulator, .length), allow]))
    #expect(try !cached([.copyToIndex, allow]))
    #expect(try !cached([.compute(.or, .constant(0)), allow]))
    #expect(try !cached([.branch(.equal, .index, jt: 0, jf: 0), allow]))
    #expect(try !cached([.load(.accumulator, .constant(0)), .answerAccumulator]))
  }

  @Test func ofAStackEveryFilterMustAllow() throws {
    var map = RegionMap(default: .allow)
    try map.insert(AddressRange(start: 0x1000, end: 0x2000), .trap)
    let first = try map.compile(CompileOptions(allowedNumbers: [0, 1, 39]))
    let second = try map.compile(CompileOptions(allowedNumbers: [1, 39, 60]))
    let cached = (UInt32(0)..<500).filter { FilterStack([first, second]).isCached($0, on: .x86_64) }
    #expect(cached == [1, 39])
    #expect((UInt32(0)..<500).allSatisfy { !FilterStack([first, second]).isCached($0, on: .i386) })
    #expect(FilterStack([]).isCached(0, on: .x86_64) && FilterStack([]).translatedLength == 0)
  }
}
