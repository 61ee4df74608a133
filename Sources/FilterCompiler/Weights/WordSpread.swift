/// How calls are spread over the values of a 32-bit word.
struct WordSpread {
  /// Calls that are spread evenly over a run of values.
  struct Entry {
    let values: ClosedRange<UInt32>
    let calls: Double
  }

  /// In ascending order of their lowest values; they may overlap.
  let entries: [Entry]

  init(_ entries: [Entry]) {
    self.entries = entries.filter { $0.calls > 0 }.sorted { $0.values.lowerBound < $1.values.lowerBound }
  }

  var calls: Double { entries.reduce(0) { $0 + $1.calls } }

  /// The calls whose value lies in `range`.
  func calls(in range: ClosedRange<UInt32>) -> Double {
    entries.reduce(0) { $0 + $1.calls * $1.values.share(in: range) }
  }
}

extension ClosedRange where Bound: FixedWidthInteger & UnsignedInteger {
  /// How much of this range lies in another, from 0 to 1.
  func share(in other: ClosedRange) -> Double {
    guard overlaps(other) else { return 0 }
    let common = clamped(to: other)
    return common == self ? 1 : common.length / length
  }

  /// How many values it has, as nearly as a Double can say.
  private var length: Double { Double(upperBound - lowerBound) + 1 }
}
