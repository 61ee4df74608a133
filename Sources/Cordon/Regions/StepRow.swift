import FilterCompiler
package import TrapEngine

/// The steps that the SIGSYS handler's table gets for a stretch of code, made from the regions there.
///
/// An instruction belongs to a region where all of its bytes lie in regions of one disposition: to the region that its
/// first byte lies in (of several, the one that starts last). Any other belongs to none and gets the default.
package struct StepRow: Sendable {
  /// The kernel reports the address after an instruction of two bytes.
  private static let length = Architecture.x86_64.instructionLength
  /// Addresses that no code can have.
  private static let end = Architecture.x86_64.userSpaceEnd

  /// The instruction pointers that the row is about.
  package let first: UInt64
  package let last: UInt64
  package private(set) var steps: [CordonStep] = []

  /// What is said of a stretch of bytes.
  private struct Stretch {
    var start: UInt64
    var end: UInt64
    /// nil: no region has it.
    var index: Int?
    var disposition: UInt32
  }

  /// The whole map.
  package init(_ store: RegionStore, default defaultDisposition: Region.Disposition) {
    let usual = store.code(defaultDisposition)
    first = 0
    last = .max
    append(0, nil, usual)
    append(Self.stretches(store, 0, Self.end + 1, usual), usual)
  }

  /// For the instructions that have a byte in `start..<end`.
  package init(_ store: RegionStore, _ start: UInt64, _ end: UInt64, default defaultDisposition: Region.Disposition) {
    let usual = store.code(defaultDisposition)
    let begin = max(start, 1) - 1
    first = begin + Self.length
    last = end + Self.length - 1
    append(Self.stretches(store, begin, end + Self.length - 1, usual), usual)
  }

  /// The stretches of `start..<end`, without gaps.
  private static func stretches(_ store: RegionStore, _ start: UInt64, _ end: UInt64, _ usual: UInt32) -> [Stretch] {
    var stretches: [Stretch] = []
    // Those that have begun; the one that starts last is on top. What has ended is found when it gets there.
    var open: [RegionOrder.Key] = []
    var at = start
    func say(until next: UInt64) {
      while at < next {
        while let top = open.last, top.end <= at { open.removeLast() }
        if let top = open.last, let entry = store[top.index] {
          let end = min(top.end, next)
          stretches.append(
            Stretch(start: at, end: end, index: top.index, disposition: store.code(entry.disposition)))
          at = end
        } else {
          stretches.append(Stretch(start: at, end: next, index: nil, disposition: usual))
          at = next
        }
      }
    }
    for key in store.overlapping(start, end) {
      say(until: max(min(key.start, end), start))
      open.append(key)
    }
    say(until: end)
    return stretches
  }

  private mutating func append(_ stretches: [Stretch], _ usual: UInt32) {
    for (place, stretch) in stretches.enumerated() {
      if stretch.end - stretch.start >= Self.length {
        append(stretch.start + Self.length, stretch.index, stretch.disposition)
      }
      // The instruction across the end of it.
      guard place + 1 < stretches.count else { break }
      let next = stretches[place + 1]
      let isInside = stretch.index != nil && next.index != nil && stretch.disposition == next.disposition
      append(stretch.end + 1, isInside ? stretch.index : nil, isInside ? stretch.disposition : usual)
    }
  }

  private mutating func append(_ first: UInt64, _ index: Int?, _ disposition: UInt32) {
    let region = index.map(UInt32.init) ?? UInt32.max
    if let last = steps.last, last.region == region, last.disposition == disposition { return }
    steps.append(CordonStep(first: first, region: region, disposition: disposition))
  }

  /// The instruction pointers whose calls must reach the handler.
  package var trapped: IntervalSet {
    var trapped = IntervalSet()
    for (place, step) in steps.enumerated() where step.disposition != 0 {
      trapped.append(step.first, place + 1 < steps.count ? steps[place + 1].first - 1 : last)
    }
    return trapped
  }
}
