/// Decides a 32-bit word that has been cut into segments: a balanced tree of comparisons leads to short chains of them.
///
/// A test is either "at least the start of a segment", or "equal to", which sets a segment of one value apart from two
/// neighbours that are decided alike. What is made least, ``ChainPartition`` says.
enum IntervalTree {
  typealias Segment = SegmentRow.Segment

  /// What a filter has besides the tests of its trees, about: loads, returns, the test of the architecture, and what the
  /// kernel puts in front.
  private static let surroundings = (size: 12, length: 3)

  /// The root of a tree, new in `graph`, that decides `word` as `segments` say: in ascending order, the first one
  /// starting at 0. Where it is known how calls are spread over the word, the tree is made for them.
  static func build(
    _ segments: [Segment], of word: DataWord, expecting spread: WordSpread? = nil, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    if let spread, spread.calls > 0 { return LikelyTree.build(segments, of: word, spread, in: &graph) }
    let row = SegmentRow(segments, of: word, in: graph)
    // A tree over up to three segments is a chain.
    if row.count <= 3 { return Chain(whole: row).build(from: row, in: &graph) }
    let rest = (size: surroundings.size + graph.count, length: surroundings.length)
    let chains = ChainPartition.cheapest(row, besides: rest).chains
    return BalancedTree(chains, of: row).build(
      leaf: { chains[$0].build(from: row, in: &graph) },
      join: { cut, below, above in
        row.branch(at: chains[cut].part.lowerBound, below: below, above: above, in: &graph)
      })
  }
}
