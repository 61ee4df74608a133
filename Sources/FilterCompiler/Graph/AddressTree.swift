/// Decides the 64-bit instruction pointer by its upper half first and its lower half only where that is needed.
enum AddressTree {
  /// The root of a tree, new in `graph`, that decides the instruction pointer as `placement` says, each disposition by
  /// the node that `leaves` has at its number. Where it is known how calls are spread, the tree is made for them.
  static func build(
    _ placement: BoundaryPlacement, expecting spread: PointerSpread? = nil, leaves: [DecisionGraph.NodeID],
    in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    let lowerSpreads = spread.map { Self.lowerSpreads(placement, $0) }
    let lines = placement.patterns.indices.map { index in
      let segments = placement.segments(of: placement.patterns[index], leaves)
      return IntervalTree.build(
        segments, of: .instructionPointerLow, expecting: lowerSpreads?[index], in: &graph)
    }
    let segments = placement.stretches.map { stretch in
      switch stretch.content {
      case .disposition(let disposition):
        IntervalTree.Segment(first: stretch.first, node: leaves[Int(disposition)])
      case .pattern(let index):
        IntervalTree.Segment(
          first: stretch.first, node: lines[Int(index)],
          weight: placement.patterns[Int(index)].boundaries.count + 1)
      }
    }
    return IntervalTree.build(segments, of: .instructionPointerHigh, expecting: spread?.upper, in: &graph)
  }

  /// For each pattern, how the calls from all the lines that it decides are spread over the lower half.
  private static func lowerSpreads(_ placement: BoundaryPlacement, _ spread: PointerSpread) -> [WordSpread] {
    var entries = [[WordSpread.Entry]](repeating: [], count: placement.patterns.count)
    for (index, stretch) in placement.stretches.enumerated() {
      guard case .pattern(let pattern) = stretch.content else { continue }
      let next = index + 1 < placement.stretches.count ? placement.stretches[index + 1].first - 1 : .max
      entries[Int(pattern)] += spread.lower(in: stretch.first...next)
    }
    return entries.map(WordSpread.init)
  }
}
