/// Decides the 64-bit instruction pointer by its upper half first and its lower half only where that is needed.
enum AddressTree {
  /// The root of a tree, new in `graph`, that decides the instruction pointer as `placement` says, each disposition by
  /// what `node` makes of it.
  static func build(
    _ placement: BoundaryPlacement, in graph: inout DecisionGraph,
    node: (Disposition, inout DecisionGraph) -> DecisionGraph.NodeID
  ) -> DecisionGraph.NodeID {
    let lines = placement.patterns.map { pattern in
      let firsts = [0] + pattern.cuts
      let segments = zip(firsts, pattern.dispositions).map { first, disposition in
        IntervalTree.Segment(first: first, node: node(disposition, &graph))
      }
      return IntervalTree.build(segments, of: .instructionPointerLow, in: &graph)
    }
    let segments = placement.stretches.map { stretch in
      switch stretch.content {
      case .disposition(let disposition):
        IntervalTree.Segment(first: stretch.first, node: node(disposition, &graph))
      case .pattern(let index):
        IntervalTree.Segment(
          first: stretch.first, node: lines[index], weight: placement.patterns[index].dispositions.count)
      }
    }
    return IntervalTree.build(segments, of: .instructionPointerHigh, in: &graph)
  }
}
