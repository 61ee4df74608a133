extension ArgumentCondition {
  /// The node, new in `graph`, that leads to `yes` where the condition holds and to `no` where it does not.
  func decide(
    _ yes: DecisionGraph.NodeID, else no: DecisionGraph.NodeID, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    switch test {
    case .equal(let constant): masked(.max, constant, yes, no, in: &graph)
    case .notEqual(let constant): masked(.max, constant, no, yes, in: &graph)
    case .less(let constant): atLeast(constant, no, yes, in: &graph)
    case .lessOrEqual(let constant): above(constant, no, yes, in: &graph)
    case .greater(let constant): above(constant, yes, no, in: &graph)
    case .greaterOrEqual(let constant): atLeast(constant, yes, no, in: &graph)
    case .masked(let mask, let value): masked(mask, value, yes, no, in: &graph)
    case .within(let lowest, let highest):
      atLeast(lowest, above(highest, no, yes, in: &graph), no, in: &graph)
    }
  }

  private typealias Node = DecisionGraph.NodeID

  private func above(
    _ bound: UInt64, _ yes: Node, _ no: Node, in graph: inout DecisionGraph
  ) -> Node { bound == .max ? no : atLeast(bound + 1, yes, no, in: &graph) }

  /// The upper half decides but where it equals the bound's.
  private func atLeast(
    _ bound: UInt64, _ yes: Node, _ no: Node, in graph: inout DecisionGraph
  ) -> Node {
    let (upper, lower) = (UInt32(bound >> 32), UInt32(truncatingIfNeeded: bound))
    let (high, low) = (DataWord.argumentHigh(argument), DataWord.argumentLow(argument))
    if lower == 0 { return graph.branch(.init(word: high, comparison: .greaterOrEqual, constant: upper), yes, no) }
    let line = graph.branch(.init(word: low, comparison: .greaterOrEqual, constant: lower), yes, no)
    let equal = graph.branch(.init(word: high, comparison: .equal, constant: upper), line, no)
    return graph.branch(.init(word: high, comparison: .greater, constant: upper), yes, equal)
  }

  private func masked(
    _ mask: UInt64, _ value: UInt64, _ yes: Node, _ no: Node, in graph: inout DecisionGraph
  ) -> Node {
    let upper = masked(
      .argumentHigh(argument), UInt32(mask >> 32), UInt32(value >> 32), yes, no, in: &graph)
    return masked(
      .argumentLow(argument), UInt32(truncatingIfNeeded: mask), UInt32(truncatingIfNeeded: value), upper, no, in: &graph
    )
  }

  /// There is no test for "all of these bits": the bits that are to be set are asked for one by one.
  private func masked(
    _ word: DataWord, _ mask: UInt32, _ value: UInt32, _ yes: Node, _ no: Node, in graph: inout DecisionGraph
  ) -> Node {
    if mask == .max { return graph.branch(.init(word: word, comparison: .equal, constant: value), yes, no) }
    var node = yes
    if mask & ~value != 0 {
      node = graph.branch(.init(word: word, comparison: .anyBit, constant: mask & ~value), no, node)
    }
    for bit in (0..<32 as Range<UInt32>).reversed() where value >> bit & 1 == 1 {
      node = graph.branch(.init(word: word, comparison: .anyBit, constant: 1 << bit), node, no)
    }
    return node
  }
}

extension CallPattern {
  /// The node, new in `graph`, that leads to `yes` where all conditions hold and to `no` where one does not.
  func decide(
    _ yes: DecisionGraph.NodeID, else no: DecisionGraph.NodeID, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    conditions.reversed().reduce(yes) { $1.decide($0, else: no, in: &graph) }
  }
}

extension DecisionGraph {
  fileprivate mutating func branch(_ test: Test, _ ifTrue: NodeID, _ ifFalse: NodeID) -> NodeID {
    branch(test, ifTrue: ifTrue, ifFalse: ifFalse)
  }
}
