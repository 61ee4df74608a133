import FilterCompiler
import TestSupport

/// How the regions of a random map lie.
enum MapShape: CaseIterable {
  /// All within 4 GiB.
  case oneHighWord
  /// Each within 4 GiB of its own.
  case oneEach
  /// Anywhere, sizes from two bytes to terabytes.
  case mixed
  /// In clusters of touching and nearly touching regions.
  case clustered
  /// With bounds on and next to lines of 4 GiB.
  case onLines
  /// One crowded stretch of 4 GiB among many with a single region.
  case lopsided
}

extension RegionMap {
  /// A random map of up to `count` regions (those that contradict earlier ones are left out).
  static func random(
    _ shape: MapShape, count: Int, dontCare: Bool, architecture: Architecture = .x86_64,
    using generator: inout SeededGenerator
  ) -> RegionMap {
    let dispositions: [Disposition] = [.allow, .trap, .trap(data: 7), .errno(1), .killProcess]
    var map = RegionMap(architecture: architecture, default: dispositions[Int.random(in: 0...1, using: &generator)])
    for index in 0..<count {
      guard let range = AddressRange.random(shape, index, using: &generator) else { continue }
      let choice = Int.random(
        in: 0..<(Bool.random(using: &generator) ? 2 : dispositions.count), using: &generator)
      try? map.insert(range, dispositions[choice])
    }
    guard dontCare else { return map }
    // Gaps between regions, some of them only in part; and anywhere else.
    var bounds: [UInt64] = [0]
    for region in map.regions { bounds += [region.range.start, region.range.end] }
    bounds.append(map.architecture.userSpaceEnd)
    for index in stride(from: 0, to: bounds.count, by: 2) where Int.random(in: 0..<3, using: &generator) > 0 {
      var (start, end) = (bounds[index], bounds[index + 1])
      if Int.random(in: 0..<4, using: &generator) == 0 {
        start &+= UInt64.random(in: 0...5, using: &generator)
      }
      if Int.random(in: 0..<4, using: &generator) == 0 { end &-= UInt64.random(in: 0...5, using: &generator) }
      if let gap = try? AddressRange(start: start, end: end) { try? map.insertDontCare(gap) }
    }
    return map
  }
}

extension AddressRange {
  fileprivate static func random(
    _ shape: MapShape, _ index: Int, using generator: inout SeededGenerator
  ) -> AddressRange? {
    let line: UInt64 = 1 << 32
    var start: UInt64
    var length: UInt64
    switch shape {
    case .oneHighWord:
      start = 0x7f12 * line + UInt64.random(in: 0..<line - 0x1_0000, using: &generator)
      length = UInt64.random(in: 2...0xffff, using: &generator)
    case .oneEach:
      start = UInt64(index * 3) * line + UInt64.random(in: 0..<line - 0x1_0000, using: &generator)
      length = UInt64.random(in: 2...0xffff, using: &generator)
    case .mixed:
      start =
        UInt64.random(in: 0..<1 << 47, using: &generator) >> UInt64.random(in: 0...40, using: &generator)
      length =
        2 + UInt64.random(in: 0..<1 << 42, using: &generator) >> UInt64.random(in: 0...42, using: &generator)
    case .clustered:
      start = UInt64(index / 10) * 0x1234_5000 + UInt64.random(in: 0..<64, using: &generator)
      length = UInt64.random(in: 2...8, using: &generator)
    case .onLines:
      start = UInt64.random(in: 1..<64, using: &generator) * line
      length = UInt64.random(in: 0...3, using: &generator) * line
      start = start &+ UInt64.random(in: 0...6, using: &generator) &- 3
      length = length &+ UInt64.random(in: 0...6, using: &generator) &- 3
    case .lopsided:
      let crowded = index % 2 == 0
      start =
        (crowded ? 0x5000 : UInt64(index)) * line + UInt64.random(in: 0..<line - 0x1000, using: &generator)
      length = UInt64.random(in: 2...0xfff, using: &generator)
    }
    let (end, overflow) = start.addingReportingOverflow(length)
    return overflow ? nil : try? AddressRange(start: start, end: end)
  }
}
