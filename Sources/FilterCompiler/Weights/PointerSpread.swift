/// How calls are spread over instruction pointers.
struct PointerSpread {
  /// Calls whose pointers have an upper and a lower half in these ranges, spread evenly over all combinations.
  struct Box: Hashable {
    var upper: ClosedRange<UInt32>
    var lower: ClosedRange<UInt32>
  }

  let boxes: [(box: Box, calls: Double)]

  /// Calls that are spread evenly over ranges of pointers.
  init(_ ranges: [(pointers: ClosedRange<UInt64>, calls: Double)]) {
    boxes = ranges.flatMap { range, calls in
      Self.boxes(of: range).map { box in
        let first = UInt64(box.upper.lowerBound) << 32 | UInt64(box.lower.lowerBound)
        let last = UInt64(box.upper.upperBound) << 32 | UInt64(box.lower.upperBound)
        return (box, calls * range.share(in: first...last))
      }
    }.filter { $0.calls > 0 }
  }

  /// A range is up to three boxes: the part of its first line of 4 GiB, whole lines, and the part of its last.
  private static func boxes(of range: ClosedRange<UInt64>) -> [Box] {
    let (first, last) = (UInt32(range.lowerBound >> 32), UInt32(range.upperBound >> 32))
    let (low, high) = (
      UInt32(truncatingIfNeeded: range.lowerBound), UInt32(truncatingIfNeeded: range.upperBound)
    )
    if first == last { return [Box(upper: first...first, lower: low...high)] }
    var boxes = [Box(upper: first...first, lower: low...(.max)), Box(upper: last...last, lower: 0...high)]
    if last - first > 1 { boxes.insert(Box(upper: first + 1...last - 1, lower: 0...(.max)), at: 1) }
    return boxes
  }

  /// The calls as they are spread over the upper half.
  var upper: WordSpread { WordSpread(boxes.map { WordSpread.Entry(values: $0.box.upper, calls: $0.calls) }) }

  /// The calls from some lines of 4 GiB, as they are spread over the lower half.
  func lower(in lines: ClosedRange<UInt32>) -> [WordSpread.Entry] {
    boxes.compactMap { box, calls in
      let share = box.upper.share(in: lines)
      return share > 0 ? WordSpread.Entry(values: box.lower, calls: calls * share) : nil
    }
  }
}
