import FilterCompiler
import Glibc
import Testing

/// Random maps, compiled, and judged by the kernel's BPF machine against the sentence that defines them: an instruction
/// wholly inside code of one disposition gets it, any other the default. `make fuzz` does many more.
@Suite struct FilterFuzzTests {
  private static let cases = getenv("CORDON_FUZZ_CASES").flatMap { Int(String(cString: $0)) } ?? 300

  /// Ranges in ascending order, apart or touching, with what traps, and gaps that hold no code.
  private struct RandomMap {
    var code: [(start: UInt64, end: UInt64, traps: Bool)] = []
    var empty: [(start: UInt64, end: UInt64)] = []
    let trapsByDefault: Bool

    init(using generator: inout SeededGenerator) {
      trapsByDefault = Bool.random(using: &generator)
      let count = Int.random(in: 1...40, using: &generator)
      // From bytes to many 4 GiB lines, so that bounds share upper halves, lie on lines and cross them.
      let scale = UInt64(1) << UInt64.random(in: 4...38, using: &generator)
      var next = UInt64.random(in: 0..<0x1000_0000_0000, using: &generator)
      if Bool.random(using: &generator) { next &= ~0xffff_ffff }
      for _ in 0..<count {
        let length = UInt64.random(in: 2...(scale + 2), using: &generator)
        switch UInt8.random(in: 0..<4, using: &generator) {
        case 0: empty.append((next, next + length))
        case 1: break
        default:
          let end = Bool.random(using: &generator) ? next + length : max((next + length) & ~0xffff_ffff, next + 2)
          code.append((next, end, UInt8.random(in: 0..<3, using: &generator) != 0))
          next = end
          continue
        }
        next += length
      }
    }

    func compiled() throws -> Program {
      var map = RegionMap(default: trapsByDefault ? .trap : .allow)
      for (start, end, traps) in code { try map.insert(AddressRange(start: start, end: end), traps ? .trap : .allow) }
      for (start, end) in empty { try map.insertDontCare(AddressRange(start: start, end: end)) }
      return try map.compile()
    }

    /// What becomes of an instruction at `address`; nil where it cannot exist.
    func traps(_ address: UInt64) -> Bool? {
      let bytes = [address, address &+ 1]
      if bytes.contains(where: { byte in empty.contains { $0.start <= byte && byte < $0.end } }) { return nil }
      let found = bytes.map { byte in code.first { $0.start <= byte && byte < $0.end }?.traps }
      return found[0] == found[1] ? found[0] ?? trapsByDefault : trapsByDefault
    }

    var edges: [UInt64] { code.flatMap { [$0.start, $0.end] } + empty.flatMap { [$0.start, $0.end] } }
  }

  @Test func `random maps decide as they say, to the byte`() throws {
    var generator = SeededGenerator(seed: 0xf0221)
    for number in 0..<Self.cases {
      let map = RandomMap(using: &generator)
      let judge = try FilterJudge(map.compiled())
      let far = (0..<20).map { _ in UInt64.random(in: 0..<0x8000_0000_0000, using: &generator) }
      for address in map.edges.flatMap({ edge in (0...6).map { edge &+ $0 &- 3 } }) + far {
        guard let traps = map.traps(address) else { continue }
        let verdict = try judge.verdict(SeccompData(nr: 39, instructionPointer: address &+ 2))
        try #require(
          verdict == Action(traps ? .trap : .allow), "case \(number), an instruction at \(hexadecimal(address))")
      }
    }
  }
}
