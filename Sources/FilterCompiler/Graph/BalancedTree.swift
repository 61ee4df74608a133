/// A lowest binary tree over leaves in their order, some of which are themselves ways of several instructions.
///
/// Of the trees with the least height, each cut is where both sides weigh most nearly the same, so that typical ways are
/// short as well.
struct BalancedTree {
  /// `reach[d][i]`: the leaves from `i` to just before it fit into a tree of height `d`.
  private var reach: [[Int]] = []
  /// `weights[i]` is the weight of all leaves before `i`.
  private let weights: [Int]
  private let count: Int

  /// The tree over leaves that are `lengths` high.
  init(lengths: [Int], weights: [Int]) {
    count = lengths.count
    self.weights = weights.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    // The greedy rule is exact: what fits into a height still does where leaves are dropped at either end, so the longest
    // part that fits into `d - 1`, followed by the longest after it, is the longest that fits into `d`.
    while reach.last?[0] != count {
      let height = reach.count
      var next = Array(0..<count)
      for index in 0..<count {
        if lengths[index] <= height { next[index] = index + 1 }
        guard let lower = reach.last else { continue }
        let middle = lower[index]
        if middle > index { next[index] = max(next[index], middle < count ? lower[middle] : count) }
      }
      reach.append(next)
    }
  }

  /// The tree over chains of a row.
  init(_ chains: [Chain], of row: SegmentRow) {
    self.init(
      lengths: chains.map(\.length), weights: chains.map { row.segments[$0.part].reduce(0) { $0 + Int($1.weight) } })
  }

  /// Makes the tree from its leaves up: `leaf` makes a leaf, `join` what tells the leaves below `cut` from the others.
  func build<Node>(leaf: (Int) -> Node, join: (_ cut: Int, _ below: Node, _ above: Node) -> Node) -> Node {
    func build(_ part: Range<Int>, height: Int) -> Node {
      if part.count == 1 { return leaf(part.lowerBound) }
      let cut = bestCut(part, height: height)
      let below = build(part.lowerBound..<cut, height: height - 1)
      return join(cut, below, build(cut..<part.upperBound, height: height - 1))
    }
    return build(0..<count, height: reach.count - 1)
  }

  /// Where to cut so that both sides stay within `height - 1` and weigh as nearly the same as possible.
  private func bestCut(_ part: Range<Int>, height: Int) -> Int {
    let lower = reach[height - 1]
    let highest = min(lower[part.lowerBound], part.upperBound - 1)
    // How far a part reaches grows with where it starts, so the cuts that serve the upper side are a tail.
    var lowest = highest
    while lowest - 1 > part.lowerBound, lower[lowest - 1] >= part.upperBound { lowest -= 1 }
    let total = weights[part.lowerBound] + weights[part.upperBound]
    return (lowest...highest).min { abs(2 * weights[$0] - total) < abs(2 * weights[$1] - total) } ?? highest
  }
}
