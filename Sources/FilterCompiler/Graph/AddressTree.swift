/// Decides the 64-bit instruction pointer by its upper half first and its lower half only where that is needed.
enum AddressTree {
  /// A run of instruction pointers, up to the next run or to the end.
  struct Run: Equatable {
    var first: UInt64
    var node: DecisionGraph.NodeID
  }

  /// The root of a tree, new in `graph`, that decides the instruction pointer as `runs` say: in ascending order, the
  /// first one starting at 0.
  static func build(_ runs: [Run], in graph: inout DecisionGraph) -> DecisionGraph.NodeID {
    precondition(runs.first?.first == 0, "the runs cover all addresses")
    var upper = [IntervalTree.Segment(first: 0, node: runs[0].node)]
    // The next segment replaces one that would end before it begins.
    func append(_ segment: IntervalTree.Segment) {
      if upper.last?.first == segment.first { upper.removeLast() }
      upper.append(segment)
    }
    var index = 1
    while index < runs.count {
      // All runs that start on one line of 4 GiB, and the one that reaches into it.
      let high = UInt32(truncatingIfNeeded: runs[index].first >> 32)
      var lower = [IntervalTree.Segment(first: 0, node: runs[index - 1].node)]
      while index < runs.count, UInt32(truncatingIfNeeded: runs[index].first >> 32) == high {
        let low = UInt32(truncatingIfNeeded: runs[index].first)
        if low == 0 { lower.removeLast() }
        lower.append(IntervalTree.Segment(first: low, node: runs[index].node))
        index += 1
      }
      let node = IntervalTree.build(lower, of: .instructionPointerLow, in: &graph)
      append(IntervalTree.Segment(first: high, node: node, weight: lower.count))
      if lower.count > 1, high < .max {
        append(IntervalTree.Segment(first: high + 1, node: runs[index - 1].node))
      }
    }
    return IntervalTree.build(upper, of: .instructionPointerHigh, in: &graph)
  }
}
