/// Decides a 32-bit word so that calls, which have its values as often as a spread says, meet the fewest tests on average.
///
/// Rows of many atoms are decided from above: unlikely neighbours count as one atom until the likely ones have their
/// places, and are then decided in the same way. What never happens is decided by a balanced tree, and a way that becomes
/// too long for it is made shorter by taking all atoms for somewhat likely.
struct LikelyTree {
  /// By how many instructions the longest way may exceed that of the balanced tree.
  static let allowance = 6

  private let word: DataWord
  private var atoms: [Atom]

  /// The root of a tree, new in `graph`, over `segments` as ``IntervalTree`` takes them.
  static func build(
    _ segments: [SegmentRow.Segment], of word: DataWord, _ spread: WordSpread, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    let balanced = IntervalTree.build(segments, of: word, in: &graph)
    let longest = graph.length(balanced, holding: word) + allowance
    let atoms = Atom.all(segments, spread)
    let calls = spread.calls
    for share in [0, 1 / 64, 1 / 16, 1 / 4, 1, 4, 16, 64] as [Double] {
      var tree = LikelyTree(word: word, atoms: atoms)
      for index in tree.atoms.indices { tree.atoms[index].calls += share * calls / Double(atoms.count) }
      let root = tree.node(atoms.indices, in: &graph)
      if graph.length(root, holding: word) <= longest { return root }
    }
    return balanced
  }

  /// The root of a tree over some of the atoms.
  private func node(_ part: Range<Int>, in graph: inout DecisionGraph) -> DecisionGraph.NodeID {
    guard atoms[part].contains(where: { $0.calls > 0 }) else { return balanced(part, in: &graph) }
    let groups = groups(part)
    return node(LikelyShape.tree(groups.map(\.atom)), groups, in: &graph)
  }

  private func node(
    _ tree: LikelyShape.Tree, _ groups: [(atom: Atom, part: Range<Int>)], in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    switch tree {
    case .leaf(let index): return groups[index].atom.node ?? node(groups[index].part, in: &graph)
    case .cut(let index, let below, let above, let aboveIsLikelier):
      let test = DecisionGraph.Test(word: word, comparison: .greaterOrEqual, constant: groups[index].atom.first)
      let (ifFalse, ifTrue) = (node(below, groups, in: &graph), node(above, groups, in: &graph))
      return graph.branch(test, ifTrue: ifTrue, ifFalse: ifFalse, likelier: aboveIsLikelier)
    case .equal(let index, let otherwise, let isLikelier):
      let test = DecisionGraph.Test(word: word, comparison: .equal, constant: groups[index].atom.first)
      let (ifFalse, ifTrue) = (node(otherwise, groups, in: &graph), node(.leaf(index), groups, in: &graph))
      return graph.branch(test, ifTrue: ifTrue, ifFalse: ifFalse, likelier: isLikelier)
    }
  }

  /// The atoms of a part, as many as can be looked at at once: unlikely neighbours are taken together.
  private func groups(_ part: Range<Int>) -> [(atom: Atom, part: Range<Int>)] {
    if part.count <= LikelyShape.mostAtoms { return part.map { (atoms[$0], $0..<$0 + 1) } }
    // Of two neighbouring groups one is a single atom or both together have more calls than this, so there are at most
    // twice as many groups as shares, and one more.
    let share = atoms[part].reduce(0) { $0 + $1.calls } / Double(LikelyShape.mostAtoms / 2 - 1)
    var groups: [(calls: Double, part: Range<Int>)] = []
    for index in part {
      if let last = groups.last, last.calls + atoms[index].calls <= share {
        groups[groups.count - 1] = (last.calls + atoms[index].calls, last.part.lowerBound..<index + 1)
      } else {
        groups.append((atoms[index].calls, index..<index + 1))
      }
    }
    return groups.map { calls, part in
      if part.count == 1 { return (atoms[part.lowerBound], part) }
      return (Atom(first: atoms[part.lowerBound].first, node: nil, isSingle: false, calls: calls), part)
    }
  }

  private func balanced(_ part: Range<Int>, in graph: inout DecisionGraph) -> DecisionGraph.NodeID {
    let segments = part.compactMap { index in
      // What lies below the part cannot be met.
      atoms[index].node.map { SegmentRow.Segment(first: index == part.lowerBound ? 0 : atoms[index].first, node: $0) }
    }
    return IntervalTree.build(segments, of: word, in: &graph)
  }
}
