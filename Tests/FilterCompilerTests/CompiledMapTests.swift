import FilterCompiler
import Testing
import TestSupport

/// What a compiled filter answers is what the map says, everywhere.
@Suite struct CompiledMapTests {
  /// Pointers at and around every bound of the map, and random ones.
  private func probes(_ pieces: [Piece], using generator: inout SeededGenerator) -> [UInt64] {
    var probes: [UInt64] = [0, .max]
    for piece in pieces {
      for offset: UInt64 in 0...6 { probes += [piece.first &+ offset &- 3, piece.last &+ offset &- 3] }
      // The same lower half beside another upper half, and the other way about.
      probes += [piece.first ^ (1 << 32), piece.first & 0xffff_ffff, piece.first & ~0xffff_ffff]
    }
    for _ in 0..<200 {
      probes.append(
        UInt64.random(in: 0...(.max), using: &generator) >> UInt64.random(in: 0...40, using: &generator))
    }
    return probes
  }

  @Test(arguments: MapShape.allCases, [false, true])
  func agreesWithItsPieces(shape: MapShape, dontCare: Bool) throws {
    var generator = SeededGenerator(seed: 0xc0de)
    for count in [0, 1, 2, 3, 5, 8, 20, 60, 200] {
      for _ in 0..<(count < 20 ? 12 : 4) {
        let map = RegionMap.random(shape, count: count, dontCare: dontCare, using: &generator)
        let pieces = map.pieces()
        let program = try map.compile()
        _ = try Program(program.instructions)
        for pointer in probes(pieces, using: &generator) {
          let piece = try #require(pieces.first { $0.contains(pointer) })
          guard let disposition = piece.disposition else { continue }
          let answer = program.evaluate(SeccompData(nr: 39, instructionPointer: pointer)).action
          try #require(answer == disposition.action, "\(hexadecimal(pointer)) in \(map)")
        }
      }
    }
  }

  @Test(arguments: MapShape.allCases, [false, true])
  func noWayIsLongerThanABalancedTreeAllows(shape: MapShape, dontCare: Bool) throws {
    var generator = SeededGenerator(seed: 0xba1a)
    for count in [1, 2, 3, 4, 7, 16, 33, 100, 300, 600] {
      let map = RegionMap.random(shape, count: count, dontCare: dontCare, using: &generator)
      let boundaries = map.pieces().filter { !$0.isDontCare }.count - 1
      guard boundaries > 0 else { continue }
      let limit = Int(Double(boundaries).log2Ceiling) + 4
      let program = try map.compile()
      #expect(program.conditionalsOnLongestPath <= limit, "\(boundaries) boundaries")
    }
  }
}

extension Double {
  /// The least power of two that is not below this number, as an exponent.
  fileprivate var log2Ceiling: Int { Int((exponent)) + (significand == 1 ? 0 : 1) }
}
