package import FilterCompiler
import SeededNumbers

/// Random regions with gaps between them in which no code lies, the same for the same seed.
package struct GapMap: Sendable, Hashable {
  /// Where the regions lie.
  package enum Ground: String, CaseIterable, Sendable {
    /// Anywhere in user space.
    case scattered
    /// Each in a stretch of 4 GiB of its own.
    case apart
    /// All of them in ten stretches of 4 GiB.
    case crowded
  }

  /// What lies between two regions.
  package enum Gaps: String, CaseIterable, Sendable {
    /// Nothing; neighbours differ at random.
    case whole
    /// A gap beside each region, as wide as chance has it, and code that is free between the two gaps.
    case beside
    /// The same, but no gap reaches the start of a line of 4 GiB.
    case beneathLines
  }

  package let map: RegionMap

  private static let line: UInt64 = 1 << 32
  private static let page: UInt64 = 1 << 12

  /// `count` regions.
  package init(_ ground: Ground, _ gaps: Gaps, count: Int, seed: UInt64) throws(RegionError) {
    var generator = SplitMix64(seed: seed)
    var ranges: [Range<UInt64>] = []
    var index = 0
    while ranges.count < count {
      // Some are left out because they touch others.
      let batch = (ranges.count..<count).map { _ in
        index += 1
        return Self.range(ground, index, using: &generator)
      }
      ranges = Self.apart(ranges + batch)
    }
    var map = RegionMap(architecture: .x86_64, default: .allow)
    for range in ranges {
      let isOther = gaps == .whole && Bool.random(using: &generator)
      try map.insert(AddressRange(start: range.lowerBound, end: range.upperBound), isOther ? .errno(1) : .trap)
    }
    for (index, range) in ranges.enumerated() {
      let below = index == 0 ? 0 : ranges[index - 1].upperBound
      let above = index + 1 == ranges.count ? map.architecture.userSpaceEnd : ranges[index + 1].lowerBound
      switch gaps {
      case .whole:
        try Self.insert(below..<range.lowerBound, in: &map)
        if index + 1 == ranges.count { try Self.insert(range.upperBound..<above, in: &map) }
      case .beside, .beneathLines:
        var lowest = below + (range.lowerBound - below) / 2 + Self.page
        var highest = range.upperBound + (above - range.upperBound) / 2 - Self.page
        if gaps == .beneathLines {
          lowest = max(lowest, range.lowerBound / Self.line * Self.line + Self.page)
          highest = min(highest, (range.lowerBound / Self.line + 1) * Self.line - Self.page)
        }
        if lowest < range.lowerBound {
          try Self.insert(UInt64.random(in: lowest..<range.lowerBound, using: &generator)..<range.lowerBound, in: &map)
        }
        if range.upperBound < highest {
          try Self.insert(
            range.upperBound..<UInt64.random(in: range.upperBound + 1...highest, using: &generator), in: &map)
        }
      }
    }
    self.map = map
  }

  private static func insert(_ range: Range<UInt64>, in map: inout RegionMap) throws(RegionError) {
    if !range.isEmpty { try map.insertDontCare(AddressRange(start: range.lowerBound, end: range.upperBound)) }
  }

  /// Whole pages, some way from the lines of 4 GiB but where regions may lie anywhere.
  private static func range(_ ground: Ground, _ index: Int, using generator: inout SplitMix64) -> Range<UInt64> {
    let start: UInt64
    switch ground {
    case .scattered: start = UInt64.random(in: 1..<1 << 34, using: &generator) * page
    case .apart: start = UInt64(index) * 2 * line + UInt64.random(in: 2..<1 << 20 - 5000, using: &generator) * page
    case .crowded:
      start = (0x7f00 + UInt64(index % 10)) * line + UInt64.random(in: 2..<1 << 20 - 5000, using: &generator) * page
    }
    let largest: UInt64 = ground == .crowded ? 1 << 8 : 1 << 12
    return start..<start + UInt64.random(in: 1...largest, using: &generator) * page
  }

  /// In ascending order, those that are at least four pages behind the one before.
  private static func apart(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
    var kept: [Range<UInt64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound })
    where range.lowerBound >= (kept.last?.upperBound ?? 0) + 4 * page { kept.append(range) }
    return kept
  }
}
