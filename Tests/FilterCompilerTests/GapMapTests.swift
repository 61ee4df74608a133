import CompilerRivals
import FilterCompiler
import Testing

/// Gaps in which nobody cares make filters small, whatever lies where, and never wrong.
@Suite struct GapMapTests {
  private static let grounds = GapMap.Ground.allCases
  private static let gaps = GapMap.Gaps.allCases

  @Test(arguments: grounds, gaps) func aThousandRegionsTakeFewInstructions(
    ground: GapMap.Ground, gaps: GapMap.Gaps
  ) throws {
    let map = try GapMap(ground, gaps, count: 1000, seed: 2020).map
    let program = try map.compile()
    #expect(map.regions.count == 1000)
    #expect(Double(program.instructions.count) <= 2.5 * 1000)
  }

  @Test(arguments: grounds, gaps) func whatIsCompiledIsProved(ground: GapMap.Ground, gaps: GapMap.Gaps) throws {
    for (seed, count) in [1, 2, 3, 10, 50].enumerated() {
      let map = try GapMap(ground, gaps, count: count, seed: UInt64(seed)).map
      #expect(try Prover.difference(FilterStack([map.compile()]), RegionSpecification(map)) == nil)
    }
  }

  /// A gap inside of a line of 4 GiB lets lines be decided alike that are not alike.
  @Test func linesShareWhatDecidesThem() throws {
    let line: UInt64 = 1 << 32
    var map = RegionMap(default: .allow)
    for index in 1...100 as ClosedRange<UInt64> {
      let start = 2 * index * line + 0x8000_0000 + index * 0x1_0000
      try map.insertDontCare(range(start - 0x4000_0000, start))
      try map.insert(range(start, start + 0x1_0000), .trap)
      try map.insertDontCare(range(start + 0x1_0000, start + 0x4000_0000))
    }
    let program = try map.compile()
    // One load of the lower half for all of them.
    let loads = program.operations.count { $0 == .loadData(.instructionPointerLow) }
    #expect(loads == 1)
    #expect(program.instructions.count < 150)
  }

  /// The rooms of the first boundaries all overlap, and the others' as well, but never both of two lines.
  @Test func boundariesThatCannotBeSharedAreNot() throws {
    let line: UInt64 = 1 << 32
    var map = RegionMap(default: .allow)
    for index in 1...3 as ClosedRange<UInt64> {
      let start = 2 * index * line + index * 0x1000_0000
      try map.insert(range(start, start + 0x1000), .trap)
      try map.insertDontCare(range(start + 0x1000, start + 0x2000))
    }
    #expect(try Prover.difference(FilterStack([map.compile()]), RegionSpecification(map)) == nil)
  }

  @Test func theEndsOfUserSpaceMayBeGaps() throws {
    for architecture in Architecture.allCases {
      var map = RegionMap(architecture: architecture, default: .allow)
      try map.insert(range(0x1_0000_0000, 0x1_0000_1000), .trap)
      try map.insert(range(architecture.userSpaceEnd - 0x1000, architecture.userSpaceEnd), .killProcess)
      try map.insertDontCare(range(0, 0x1_0000_0000))
      try map.insertDontCare(range(0x1_0000_1000, architecture.userSpaceEnd - 0x1000))
      #expect(try Prover.difference(FilterStack([map.compile()]), RegionSpecification(map)) == nil)
    }
  }

  @Test func aMapThatNobodyCaresAboutIsOneInstruction() throws {
    var map = RegionMap(default: .trap)
    try map.insertDontCare(range(0, map.architecture.userSpaceEnd))
    #expect(try map.compile().instructions.count <= 4)
  }
}
