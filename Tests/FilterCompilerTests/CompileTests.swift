import FilterCompiler
import Testing
import TestSupport

/// How large filters are, what the stages add, and what is refused.
@Suite struct CompileTests {
  private static let line: UInt64 = 1 << 32

  private func trapping(_ ranges: [(UInt64, UInt64)]) throws -> RegionMap {
    var map = RegionMap(default: .allow)
    for (start, end) in ranges { try map.insert(range(start, end), .trap) }
    return map
  }

  /// `count` pages, the first one at `start`.
  private func pages(_ count: Int, from start: UInt64, every stride: UInt64) -> [(UInt64, UInt64)] {
    (0..<UInt64(count)).map { index in
      let page = start + index * stride
      return (page, page + 0x1000)
    }
  }

  private func answer(
    _ program: Program, _ pointer: UInt64, nr: UInt32 = 39, _ architecture: AuditArchitecture = .x86_64
  ) -> Action {
    program.evaluate(SeccompData(nr: nr, arch: architecture, instructionPointer: pointer)).action
  }

  @Test func withoutRegionsTheDefaultIsAllThereIs() throws {
    let program = try RegionMap(default: .allow).compile()
    #expect(program.instructions == [Operation.answer(Action(.allow)).instruction])
  }

  @Test func oneExactRegionTakesSevenInstructions() throws {
    #expect(try trapping([(0x7f12_3456_0000, 0x7f12_3457_0000)]).compile().instructions.count == 7)
  }

  @Test func gapsThatReachALineSaveTheLowerHalf() throws {
    var map = try trapping([(0x7f12_3456_0000, 0x7f12_3457_0000)])
    try map.insertDontCare(range(0x7f11_ffff_f000, 0x7f12_3456_0000))
    try map.insertDontCare(range(0x7f12_3457_0000, 0x7f13_0000_0000))
    #expect(try map.compile().instructions.count == 4)
    // With regions beyond the gaps as well.
    try map.insert(range(0x7f11_0000_0000, 0x7f11_ffff_f000), .allow)
    try map.insert(range(0x7f13_0000_0000, 0x7f13_1000_0000), .allow)
    #expect(try map.compile().instructions.count == 4)
  }

  @Test func codeThatEndsOnTheLineIsStillToldApart() throws {
    // The gap starts on the line, so an instruction may end there, and is reported with that very address.
    var map = try trapping([(0x7f12_3456_0000, 0x7f12_3457_0000)])
    try map.insertDontCare(range(0x7f12_0000_0000, 0x7f12_3456_0000))
    try map.insertDontCare(range(0x7f12_3457_0000, 0x7f13_0000_0000))
    let program = try map.compile()
    #expect(answer(program, 0x7f12_0000_0000) == Action(.allow))
    #expect(answer(program, 0x7f12_3456_0002) == Action(.trap))
  }

  @Test func aGapWithoutALineFallsToTheLenientSide() throws {
    var map = try trapping([(0x1000, 0x2000), (0x9000, 0xa000)])
    try map.insert(range(0x5000, 0x6000), .allow)
    try map.insertDontCare(range(0x2000, 0x5000))
    try map.insertDontCare(range(0x6000, 0x9000))
    let program = try map.compile()
    #expect(answer(program, 0x2000) == Action(.trap) && answer(program, 0x2001) == Action(.allow))
    #expect(answer(program, 0x9001) == Action(.allow) && answer(program, 0x9002) == Action(.trap))
  }

  @Test func gapsBetweenEqualRegionsVanish() throws {
    let ranges = pages(100, from: 0x1000, every: 0x2000)
    var map = try trapping(ranges)
    for (left, right) in zip(ranges, ranges.dropFirst()) { try map.insertDontCare(range(left.1, right.0)) }
    #expect(try map.compile().instructions.count == 7)
  }

  @Test func equalPartsAreThereOnce() throws {
    // The same page of a hundred stretches of 4 GiB: one test of the lower half serves them all.
    let map = try trapping(pages(100, from: 2 * Self.line + 0x1000, every: 2 * Self.line))
    #expect(try map.compile().instructions.count < 100 * 2 + 10)
  }

  @Test func onlyTheNumberDecidesForNumbersThatAreAllowed() throws {
    let map = try trapping([(0x1000, 0x2000)])
    let program = try map.compile(CompileOptions(allowedNumbers: [0, 1, 2, 3, 39, 300]))
    for number: UInt32 in [0, 3, 39, 300] {
      let (action, path) = program.evaluate(SeccompData(nr: number, arch: .x86_64, instructionPointer: 0x1002))
      #expect(action == Action(.allow))
      // The kernel's bitmap takes only calls that are allowed without a look at the pointer or the arguments.
      for index in path {
        guard case .loadData(let word) = program.operations[index] else { continue }
        #expect(word == .number || word == .architecture)
      }
    }
    for number: UInt32 in [4, 38, 40, 299, 301, .max] {
      #expect(answer(program, 0x1002, nr: number) == Action(.trap))
    }
    #expect(answer(program, 0x1002, nr: 39, .i386) == Action(.trap), "39 is another call on i386")
  }

  @Test func calledNumbersTrapFromEverywhereButTheGate() throws {
    let map = try trapping([(0x1000, 0x2000)])
    let program = try map.compile(
      CompileOptions(gate: range(0x1_8000, 0x1_9000), globalTrapNumbers: [13, 14], trapData: 77))
    #expect(answer(program, 0x5000, nr: 13) == Action(.trap, data: 77))
    #expect(answer(program, 0x1002, nr: 14) == Action(.trap, data: 77))
    #expect(answer(program, 0x1_8002, nr: 13) == Action(.allow))
    #expect(answer(program, 0x1_8001, nr: 13) == Action(.trap, data: 77))
    #expect(answer(program, 0x1002, nr: 15) == Action(.trap))
    #expect(answer(program, 0x5000, nr: 15) == Action(.allow))
  }

  @Test func theGateIsOpenWhateverLiesAroundIt() throws {
    var map = RegionMap(default: .trap)
    try map.insert(range(0x1000, 0x9000), .killProcess)
    try map.insertDontCare(range(0x9000, 0xb000))
    let program = try map.compile(CompileOptions(gate: range(0x8000, 0xa000)))
    #expect(answer(program, 0x8001) == Action(.killProcess))
    #expect(answer(program, 0x8002) == Action(.allow) && answer(program, 0xa000) == Action(.allow))
    #expect(answer(program, 0xb002) == Action(.trap))
  }

  @Test func otherArchitecturesAreTurnedAwayWhereThatIsAskedFor() throws {
    let map = try trapping([(0x1000, 0x2000)])
    let both = try map.compile(
      CompileOptions(checkedArchitectures: [.x86_64, .i386], otherArchitecture: .errno(38)))
    #expect(answer(both, 0x5000, .x86_64) == Action(.allow) && answer(both, 0x5000, .i386) == Action(.allow))
    #expect(answer(both, 0x1002, .i386) == Action(.trap))
    #expect(answer(both, 0x5000, .aarch64) == Action(.errno, data: 38))
    let foreign = try map.compile(CompileOptions(checkedArchitectures: [.i386]))
    #expect(answer(foreign, 0x5000, .x86_64) == Action(.killProcess))
    let none = try map.compile(CompileOptions(checkedArchitectures: []))
    #expect(none.instructions.count == 1)
  }

  /// The excess of a map that is too large.
  private func excess(_ map: RegionMap) throws -> FilterExcess {
    let error = #expect(throws: CompileError.self) { try map.compile() }
    guard case .tooManyRegions(let excess)? = error else { throw try #require(error) }
    return excess
  }

  @Test func whatIsTooMuchIsCounted() throws {
    // Each in 4 GiB of its own: more than four instructions each.
    let map = try trapping(pages(2000, from: 0x1000, every: 2 * Self.line + 0x1000))
    let excess = try excess(map)
    #expect(excess.regions == 2000 && excess.instructions > 2 * Program.maximumLength)
    #expect(excess.excess == excess.instructions - 4096)
    var prefix = RegionMap(default: .allow)
    for region in map.regions.prefix(excess.fit) { try prefix.insert(region.range, region.disposition) }
    #expect(throws: Never.self) { try prefix.compile() }
    try prefix.insert(map.regions[excess.fit].range, .trap)
    let next = try self.excess(prefix)
    #expect(next.fit == excess.fit && next.regions == excess.fit + 1 && next.excess < 20)
  }

  @Test func theMergesThatAreProposedSuffice() throws {
    // Pairs of neighbours, each pair in 4 GiB of its own, some nearer to each other than others.
    var map = RegionMap(default: .allow)
    for index in 0..<700 as Range<UInt64> {
      let start = 0x1000 + 2 * index * Self.line + index * 0x10_0000
      try map.insert(range(start, start + 0x1000), .trap)
      try map.insert(range(start + 0x3000 + index % 7 * 0x1000, start + 0x2_0000), .trap)
    }
    let excess = try excess(map)
    #expect(!excess.merges.isEmpty && excess.merges.count < 700)
    #expect(excess.merges.map(\.gap) == excess.merges.map(\.gap).sorted())
    func merged(_ count: Int) throws -> RegionMap {
      var result = map
      for merge in excess.merges.prefix(count) { try result.insert(range(merge.lower.end, merge.upper.start), .trap) }
      return result
    }
    #expect(throws: Never.self) { try merged(excess.merges.count).compile() }
    #expect(throws: CompileError.self) { try merged(excess.merges.count - 1).compile() }
    let remedy = try #require(CompileError.tooManyRegions(excess).remedy)
    #expect(remedy.contains("\(excess.merges.count) pairs") && remedy.contains("\(excess.merges[0].lower)"))
  }

  @Test func whatCannotBeMergedIsNotProposed() throws {
    // Neighbours differ.
    var map = RegionMap(default: .allow)
    for (index, page) in pages(1500, from: 0x1000, every: 2 * Self.line + 0x1000).enumerated() {
      try map.insert(range(page.0, page.1), index % 2 == 0 ? .trap : .killProcess)
    }
    #expect(try excess(map).merges.isEmpty)
    #expect(try CompileError.tooManyRegions(excess(map)).remedy?.contains("fewer") == true)
  }

  @Test func aThousandRegionsFit() throws {
    let map = try trapping(pages(1024, from: 0x7f00_0000_1000, every: 0x2000))
    let program = try map.compile()
    #expect(program.conditionalsOnLongestPath <= 11 + 4)
  }

  @Test func contradictoryOptionsAreRefused() throws {
    let map = try trapping([(0x1000, 0x2000)])
    #expect(throws: CompileError.contradictoryNumber(14)) {
      try map.compile(CompileOptions(allowedNumbers: [13, 14], globalTrapNumbers: [14]))
    }
    let short = try range(0x1000, 0x1001)
    #expect(throws: CompileError.gate(.tooShort(short, .x86_64))) { try map.compile(CompileOptions(gate: short)) }
    let high = try range(0x1000, .max)
    #expect(throws: CompileError.gate(.aboveUserSpace(high, .x86_64))) { try map.compile(CompileOptions(gate: high)) }
  }

  @Test func theLongestPathIsWalked() throws {
    var generator = SeededGenerator(seed: 7)
    let map = RegionMap.random(.mixed, count: 30, dontCare: false, using: &generator)
    let program = try map.compile()
    let walked = map.pieces().map { piece in
      program.evaluate(SeccompData(nr: 0, instructionPointer: piece.first)).path.count { index in
        if case .branch = program.operations[index] { true } else { false }
      }
    }
    #expect(walked.max() == program.conditionalsOnLongestPath)
  }
}
