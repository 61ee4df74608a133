import FilterCompiler

/// A set of 64-bit numbers (instruction pointers, or addresses) as ascending intervals that do not touch.
package struct IntervalSet: Sendable, Hashable {
  /// Both bounds belong to it.
  package struct Interval: Sendable, Hashable {
    package var first: UInt64
    package var last: UInt64

    package init(_ first: UInt64, _ last: UInt64) {
      self.first = first
      self.last = last
    }
  }

  package private(set) var intervals: [Interval] = []

  package init() {}

  /// Of any intervals, in any order.
  package init(_ intervals: [Interval]) {
    for interval in intervals.sorted(by: { $0.first < $1.first }) { append(interval.first, interval.last) }
  }

  /// The instruction pointers of the instructions that have a byte in a range.
  init(instructionsTouching range: AddressRange) {
    self.init([Interval(range.start + 1, range.end + Architecture.x86_64.instructionLength - 1)])
  }

  /// With what lies between two intervals, where that is one number.
  var withoutSingleGaps: IntervalSet {
    var closed = IntervalSet()
    for interval in intervals {
      if let last = closed.intervals.last, interval.first - last.last == 2 {
        closed.append(interval.first - 1, interval.last)
      } else {
        closed.append(interval.first, interval.last)
      }
    }
    return closed
  }

  package static let everything = IntervalSet([Interval(0, .max)])

  package var isEmpty: Bool { intervals.isEmpty }

  /// How many numbers there are, as far as 64 bits tell.
  package var size: UInt64 { intervals.reduce(0) { $0 &+ ($1.last &- $1.first &+ 1) } }

  /// Adds an interval that starts no lower than the last one.
  package mutating func append(_ first: UInt64, _ last: UInt64) {
    if let end = intervals.last, first == 0 || end.last >= first - 1 {
      intervals[intervals.count - 1].last = max(end.last, last)
    } else {
      intervals.append(Interval(first, last))
    }
  }

  package func contains(_ number: UInt64) -> Bool {
    let place = firstEnding(atOrAfter: number)
    return place < intervals.count && intervals[place].first <= number
  }

  /// The part of it that `other` does not have.
  package func subtracting(_ other: IntervalSet) -> IntervalSet {
    var rest = IntervalSet()
    for interval in intervals {
      var next = interval.first
      var place = other.firstEnding(atOrAfter: next)
      var isDone = false
      while place < other.intervals.count, other.intervals[place].first <= interval.last {
        let hole = other.intervals[place]
        if hole.first > next { rest.append(next, hole.first - 1) }
        guard hole.last < interval.last else {
          isDone = true
          break
        }
        next = hole.last + 1
        place += 1
      }
      if !isDone { rest.append(next, interval.last) }
    }
    return rest
  }

  package func intersection(_ other: IntervalSet) -> IntervalSet { subtracting(subtracting(other)) }

  package func union(_ other: IntervalSet) -> IntervalSet { IntervalSet(intervals + other.intervals) }

  /// The first interval whose last number is `number` or higher.
  private func firstEnding(atOrAfter number: UInt64) -> Int {
    var (low, high) = (0, intervals.count)
    while low < high {
      let middle = (low + high) / 2
      if intervals[middle].last < number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
