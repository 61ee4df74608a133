/// Pages of an address range that are free, as ascending ranges that do not touch.
struct FreePages: Sendable {
  private(set) var ranges: [Range<UInt64>]

  init(_ range: Range<UInt64>) { ranges = [range] }

  /// Takes the lowest pages that lie together; nil where there are not so many.
  /// - Parameter size: whole pages, in bytes.
  mutating func take(_ size: UInt64) -> UInt64? {
    guard let place = ranges.firstIndex(where: { $0.upperBound - $0.lowerBound >= size }) else { return nil }
    let start = ranges[place].lowerBound
    take(start..<start + size, from: place)
    return start
  }

  /// Takes these pages; false where not all of them are free.
  mutating func take(_ range: Range<UInt64>) -> Bool {
    let place = firstEnding(after: range.lowerBound)
    guard place < ranges.count, ranges[place].lowerBound <= range.lowerBound,
      ranges[place].upperBound >= range.upperBound
    else { return false }
    take(range, from: place)
    return true
  }

  /// Gives pages back that were taken.
  mutating func give(_ range: Range<UInt64>) {
    let place = firstEnding(after: range.lowerBound)
    var (start, end) = (range.lowerBound, range.upperBound)
    var (low, high) = (place, place)
    if place > 0, ranges[place - 1].upperBound == start {
      start = ranges[place - 1].lowerBound
      low = place - 1
    }
    if place < ranges.count, ranges[place].lowerBound == end {
      end = ranges[place].upperBound
      high = place + 1
    }
    ranges.replaceSubrange(low..<high, with: [start..<end])
  }

  private mutating func take(_ range: Range<UInt64>, from place: Int) {
    let whole = ranges[place]
    let rest = [whole.lowerBound..<range.lowerBound, range.upperBound..<whole.upperBound].filter { !$0.isEmpty }
    ranges.replaceSubrange(place..<place + 1, with: rest)
  }

  private func firstEnding(after address: UInt64) -> Int {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
