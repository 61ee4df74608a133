import FilterCompiler
import Testing
import TestSupport

func range(_ start: UInt64, _ end: UInt64) throws(RegionError) -> AddressRange {
  try AddressRange(start: start, end: end)
}

@Suite struct RegionMapTests {
  /// A map of regions that trap, in another disposition's midst.
  private func map(_ ranges: [(UInt64, UInt64)], default other: Disposition = .allow) throws -> RegionMap {
    var map = RegionMap(default: other)
    for (start, end) in ranges { try map.insert(range(start, end), .trap) }
    return map
  }

  @Test func aRegionIsDecidedForTheAddressesAfterItsInstructions() throws {
    #expect(
      try map([(0x1000, 0x2000)]).pieces() == [
        Piece(first: 0, last: 0x1001, disposition: .allow), Piece(first: 0x1002, last: 0x2000, disposition: .trap),
        Piece(first: 0x2001, last: .max, disposition: .allow),
      ])
  }

  @Test(arguments: [Architecture.aarch64, .riscv64])
  func whereInstructionsAreLongerTheShiftIsToo(architecture: Architecture) throws {
    var map = RegionMap(architecture: architecture, default: .allow)
    try map.insert(range(0x1000, 0x2000), .trap)
    #expect(map.pieces()[1] == Piece(first: 0x1004, last: 0x2000, disposition: .trap))
  }

  @Test func equalRegionsThatTouchOrOverlapAreOne() throws {
    for ranges: [(UInt64, UInt64)] in [
      [(0x1000, 0x2000), (0x2000, 0x3000)], [(0x2000, 0x3000), (0x1000, 0x2000)], [(0x1000, 0x2800), (0x1800, 0x3000)],
      [(0x1000, 0x3000), (0x1800, 0x2000)], [(0x1000, 0x1400), (0x2000, 0x3000), (0x1200, 0x2100)],
      [(0x1000, 0x3000), (0x1000, 0x3000)],
    ] {
      let map = try map(ranges)
      #expect(map.regions.map(\.range) == [try range(0x1000, 0x3000)], "\(ranges)")
      #expect(map.pieces().count == 3)
    }
  }

  @Test func betweenTouchingRegionsThatDifferStraddlersGetTheDefault() throws {
    var map = try map([(0x1000, 0x2000)], default: .log)
    try map.insert(range(0x2000, 0x3000), .allow)
    #expect(
      map.pieces().dropFirst().dropLast() == [
        Piece(first: 0x1002, last: 0x2000, disposition: .trap), Piece(first: 0x2001, last: 0x2001, disposition: .log),
        Piece(first: 0x2002, last: 0x3000, disposition: .allow),
      ])
  }

  @Test func regionsComeInOrderHoweverTheyWereInserted() throws {
    let starts: [UInt64] = [5, 3, 9, 1, 7, 2, 8].map { $0 << 32 }
    let map = try map(starts.map { ($0, $0 + 0x1000) })
    #expect(map.regions.map(\.range.start) == starts.sorted())
  }

  @Test func aContradictionNamesBothRangesAndChangesNothing() throws {
    var map = try map([(0x1000, 0x2000), (0x4000, 0x5000)])
    let before = map
    let (new, old) = (try range(0x1fff, 0x3000), try range(0x1000, 0x2000))
    #expect(throws: RegionError.contradiction(new, .allow, with: old, .trap)) { try map.insert(new, .allow) }
    #expect(throws: RegionError.contradiction(new, .trap(data: 1), with: old, .trap)) {
      try map.insert(new, .trap(data: 1))
    }
    #expect(throws: RegionError.contradiction(new, nil, with: old, .trap)) { try map.insertDontCare(new) }
    let across = try range(0x3000, 0x6000)
    #expect(throws: RegionError.self) { try map.insert(across, .allow) }
    #expect(map == before)

    let gap = try range(0x2000, 0x3000)
    try map.insertDontCare(gap)
    #expect(throws: RegionError.contradiction(new, .trap, with: gap, nil)) { try map.insert(new, .trap) }
    #expect(RegionError.contradiction(new, .trap, with: gap, nil).description.contains("\(new)"))
    #expect(RegionError.contradiction(new, .trap, with: gap, nil).description.contains("\(gap)"))
  }

  @Test(arguments: Architecture.allCases)
  func aRegionHoldsAnInstructionAndLiesInUserSpace(architecture: Architecture) throws {
    var map = RegionMap(architecture: architecture, default: .allow)
    let end = architecture.userSpaceEnd
    let short = try range(0x1000, 0x1000 + architecture.instructionLength - 1)
    #expect(throws: RegionError.tooShort(short, architecture)) { try map.insert(short, .trap) }
    let high = try range(end - 0x1000, end + 1)
    #expect(throws: RegionError.aboveUserSpace(high, architecture)) { try map.insert(high, .trap) }
    #expect(throws: RegionError.aboveUserSpace(high, architecture)) { try map.insertDontCare(high) }
    #expect(map.regions.isEmpty && map.dontCare.isEmpty)
    try map.insert(range(0x1000, 0x1000 + architecture.instructionLength), .trap)
    try map.insert(range(end - 0x1000, end), .trap)
    #expect(map.pieces()[1].first == map.pieces()[1].last)
    #expect(map.pieces()[3].last == end)
  }

  @Test func noInstructionHasAByteInADontCareRange() throws {
    var map = try map([(0x1000, 0x2000), (0x3000, 0x4000)])
    try map.insertDontCare(range(0x2000, 0x3000))
    #expect(
      map.pieces() == [
        Piece(first: 0, last: 0x1001, disposition: .allow), Piece(first: 0x1002, last: 0x2000, disposition: .trap),
        Piece(first: 0x2001, last: 0x3001, disposition: nil), Piece(first: 0x3002, last: 0x4000, disposition: .trap),
        Piece(first: 0x4001, last: .max, disposition: .allow),
      ])
    // A gap that leaves a byte on either side leaves the straddlers there to the default.
    map = RegionMap(default: .allow)
    try map.insertDontCare(range(0x2001, 0x2fff))
    #expect(map.pieces()[1] == Piece(first: 0x2002, last: 0x3000, disposition: nil))
  }

  @Test func dontCareRangesJoinToo() throws {
    var map = RegionMap(architecture: .riscv64, default: .allow)
    try map.insertDontCare(range(0x3000, 0x4000))
    try map.insertDontCare(range(0x1000, 0x2000))
    try map.insertDontCare(range(0x2000, 0x3000))
    #expect(map.dontCare == [try range(0x1000, 0x4000)])
    // Less than an instruction lies between these: as code they are apart, as pointers they are not.
    try map.insertDontCare(range(0x4001, 0x5000))
    #expect(map.pieces()[1] == Piece(first: 0x1001, last: 0x5003, disposition: nil))
  }

  @Test(arguments: MapShape.allCases, [false, true])
  func piecesCoverEverythingOnce(shape: MapShape, dontCare: Bool) {
    var generator = SeededGenerator(seed: 0x91ece)
    for _ in 0..<40 {
      let pieces = RegionMap.random(shape, count: 12, dontCare: dontCare, using: &generator).pieces()
      #expect(pieces.first?.first == 0 && pieces.last?.last == .max)
      for (left, right) in zip(pieces, pieces.dropFirst()) {
        #expect(left.first <= left.last && left.last + 1 == right.first && left.disposition != right.disposition)
      }
    }
  }
}
