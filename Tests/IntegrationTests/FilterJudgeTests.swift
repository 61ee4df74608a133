import FilterCompiler
import Testing

/// The kernel runs compiled filters, and decides as the map says.
@Suite struct FilterJudgeTests {
  private static let line: UInt64 = 1 << 32

  private static func range(_ start: UInt64, _ end: UInt64) throws -> AddressRange {
    try AddressRange(start: start, end: end)
  }

  /// The boundary cases that hand-written filters got wrong: (name, ranges of code that traps).
  static let boundaries: [(String, [(UInt64, UInt64)])] = [
    ("in the middle of 4 GiB", [(0x7f12_3456_0000, 0x7f12_3457_0000)]),
    ("ends on a line", [(0x7f12_3456_0000, 0x7f13_0000_0000)]),
    ("starts on a line", [(0x7f12_0000_0000, 0x7f12_0001_0000)]),
    ("from line to line", [(0x7f12_0000_0000, 0x7f13_0000_0000)]),
    ("crosses a line", [(0x7f12_ffff_f000, 0x7f13_0000_1000)]),
    ("crosses several lines", [(0x7f12_ffff_f000, 0x7f18_0000_1000)]),
    ("a byte around a line", [(0x7f12_ffff_ffff, 0x7f13_0000_0001)]),
    ("two bytes before a line", [(0x7f12_ffff_fffe, 0x7f13_0000_0000)]),
    ("two share a high word", [(0x7f12_1000_0000, 0x7f12_1000_1000), (0x7f12_2000_0000, 0x7f12_2000_1000)]),
    ("touching", [(0x7f12_1000_0000, 0x7f12_1000_1000), (0x7f12_1000_1000, 0x7f12_1000_2000)]),
    ("touching on a line", [(0x7f12_ffff_f000, 0x7f13_0000_0000), (0x7f13_0000_0000, 0x7f13_0000_1000)]),
    ("two bytes", [(0x40_1136, 0x40_1138)]),
    ("the lowest page", [(0, 0x1000)]),
    ("the highest page", [(0x7fff_ffff_f000, 0x8000_0000_0000)]),
    ("all of user space", [(0, 0x8000_0000_0000)]),
  ]

  /// Whether an instruction lies wholly in code that traps: the specification, said without the compiler's words.
  private func lies(_ address: UInt64, in ranges: [(UInt64, UInt64)]) -> Bool {
    (0..<2).allSatisfy { byte in ranges.contains { $0.0 <= address &+ byte && address &+ byte < $0.1 } }
  }

  @Test(arguments: boundaries, [Disposition.allow, .trap])
  func boundsAreExact(boundary: (name: String, ranges: [(UInt64, UInt64)]), outside: Disposition) throws {
    let inside: Disposition = outside == .allow ? .trap : .allow
    var map = RegionMap(default: outside)
    for (start, end) in boundary.ranges { try map.insert(Self.range(start, end), inside) }
    let judge = try FilterJudge(map.compile())
    for (start, end) in boundary.ranges {
      for edge in [start, end, start ^ Self.line, end ^ Self.line, start & 0xffff_ffff, end + Self.line] {
        for offset: UInt64 in 0...8 {
          let address = edge &+ offset &- 4
          let expected = lies(address, in: boundary.ranges) ? inside : outside
          let verdict = try judge.verdict(SeccompData(nr: 39, instructionPointer: address &+ 2))
          #expect(verdict == expected.action, "\(boundary.name): an instruction at \(hexadecimal(address))")
        }
      }
    }
  }

  @Test func betweenTouchingRegionsThatDifferTheDefaultDecides() throws {
    var map = RegionMap(default: .errno(1))
    try map.insert(Self.range(0x1000, 0x2000), .trap)
    try map.insert(Self.range(0x2000, 0x3000), .allow)
    let judge = try FilterJudge(map.compile())
    func verdict(_ address: UInt64) throws -> Action {
      try judge.verdict(SeccompData(nr: 39, instructionPointer: address + 2))
    }
    #expect(try verdict(0x1ffe) == Action(.trap))
    #expect(try verdict(0x1fff) == Action(.errno, data: 1))
    #expect(try verdict(0x2000) == Action(.allow))
  }

  /// One filter holds any number of regions, for calls of every architecture.
  @Test(arguments: [1, 64, 1024], [AuditArchitecture.x86_64, .i386])
  func manyRegions(count: Int, architecture: AuditArchitecture) throws {
    var map = RegionMap(default: .allow)
    // Around a line, so that both halves of the pointer decide.
    let base = 0x7f13_0000_0000 - UInt64(count) * 0x1000
    let ranges = (0..<count).map { (base + UInt64($0) * 0x2000, base + UInt64($0) * 0x2000 + 0x1000) }
    for (start, end) in ranges { try map.insert(Self.range(start, end), .trap) }
    let judge = try FilterJudge(map.compile())
    for (start, end) in ranges {
      for (address, traps) in [
        (start, true), (start - 2, false), (start - 1, false), (end - 2, true), (end - 1, false),
        (end, false),
      ] {
        let verdict = try judge.verdict(
          SeccompData(nr: 39, arch: architecture, instructionPointer: address + 2))
        try #require((verdict == Action(.trap)) == traps, "an instruction at \(hexadecimal(address))")
      }
    }
  }

  @Test func stagesAreDecidedInTheirOrder() throws {
    var map = RegionMap(default: .allow)
    try map.insert(Self.range(0x7f12_3456_0000, 0x7f12_3457_0000), .trap)
    let judge = try FilterJudge(
      map.compile(
        CompileOptions(
          checkedArchitectures: [.x86_64, .i386], otherArchitecture: .killProcess,
          allowedNumbers: [35, 39, 96, 228],
          gate: Self.range(0x7f12_3456_8000, 0x7f12_3456_9000), globalTrapNumbers: [13, 14, 131], trapData: 5)
      ))
    func verdict(_ number: UInt32, _ address: UInt64, _ architecture: AuditArchitecture = .x86_64) throws
      -> Action
    {
      try judge.verdict(SeccompData(nr: number, arch: architecture, instructionPointer: address + 2))
    }
    let (region, gate, outside): (UInt64, UInt64, UInt64) = (0x7f12_3456_0000, 0x7f12_3456_8000, 0x40_0000)
    #expect(try verdict(39, region, .aarch64) == Action(.killProcess))
    for number: UInt32 in [35, 39, 96, 228] { #expect(try verdict(number, region) == Action(.allow)) }
    #expect(try verdict(39, region, .i386) == Action(.trap), "numbers mean the map's own architecture")
    for number: UInt32 in [13, 14, 131] {
      #expect(try verdict(number, outside) == Action(.trap, data: 5))
      #expect(try verdict(number, region) == Action(.trap, data: 5))
      #expect(try verdict(number, gate) == Action(.allow))
      #expect(try verdict(number, outside, .i386) == Action(.allow))
    }
    for number: UInt32 in [0, 12, 15, 34, 40, 130, 132, 0xffff_ffff] {
      #expect(try verdict(number, region) == Action(.trap))
      #expect(try verdict(number, gate) == Action(.allow))
      #expect(try verdict(number, gate - 1) == Action(.trap), "a straddler is not in the gate")
      #expect(try verdict(number, outside) == Action(.allow))
    }
  }
}
