/// Decides a 32-bit word that has been cut into segments, with the least height.
///
/// A test is either "at least the start of a segment", or "equal to", which sets a segment of one value apart from two
/// neighbours that are decided alike. Of the trees with the least height the one whose halves weigh the same is
/// taken, so that typical ways are short as well.
struct IntervalTree {
  /// A run of values of the word, up to the next segment or to the end.
  struct Segment: Equatable {
    var first: UInt32
    var node: DecisionGraph.NodeID
    /// How many intervals of the whole map it stands for.
    var weight = 1
  }

  private let word: DataWord
  private let segments: [Segment]
  /// `weights[i]` is the weight of all segments before `i`.
  private let weights: [Int]
  /// `reach[d][i]`: the segments from `i` to just before it can be decided with `d` tests on any way.
  private var reach: [[Int]] = []
  /// Where a segment starts a group that one "equal to" decides, or stands alone: cuts at other places cost a test.
  private var startsGroup: [Bool]

  /// The root of a tree, new in `graph`, that decides `word` as `segments` say: in ascending order, the first one
  /// starting at 0.
  static func build(
    _ segments: [Segment], of word: DataWord, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    var tree = IntervalTree(segments, of: word)
    tree.findReach(graph)
    return tree.node(0..<tree.segments.count, height: tree.reach.count - 1, in: &graph)
  }

  private init(_ all: [Segment], of word: DataWord) {
    precondition(all.first?.first == 0, "the segments cover the whole word")
    self.word = word
    var segments: [Segment] = []
    for segment in all {
      if let last = segments.last, last.node == segment.node {
        segments[segments.count - 1].weight += segment.weight
      } else {
        segments.append(segment)
      }
    }
    self.segments = segments
    weights = segments.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.weight) }
    startsGroup = Array(repeating: false, count: segments.count)
    var index = 0
    while index < segments.count {
      startsGroup[index] = true
      index += isIsland(at: index) ? 3 : 1
    }
  }

  /// Whether the segment consists of one value.
  private func isSingle(_ index: Int) -> Bool {
    let last = index + 1 < segments.count ? segments[index + 1].first - 1 : .max
    return segments[index].first == last
  }

  /// Whether the three segments from `index` on are a single value between two that are decided alike.
  private func isIsland(at index: Int) -> Bool {
    index + 3 <= segments.count && isSingle(index + 1) && segments[index].node == segments[index + 2].node
  }

  /// Fills `reach` height by height until all segments can be decided.
  ///
  /// The greedy rule is exact: what is decided within a height stays so where segments are dropped at either end, so
  /// the longest part that `d - 1` decides, followed by the longest after it, is the longest that `d` does.
  private mutating func findReach(_ graph: DecisionGraph) {
    let count = segments.count
    let heights = segments.map { graph.height($0.node) }
    while reach.last?[0] != count {
      let height = reach.count
      var next = Array(0..<count)
      for index in 0..<count {
        if heights[index] <= height { next[index] = index + 1 }
        guard let lower = reach.last else { continue }
        let middle = lower[index]
        if middle > index { next[index] = max(next[index], middle < count ? lower[middle] : count) }
        if isIsland(at: index), heights[index] < height, heights[index + 1] < height {
          next[index] = max(next[index], index + 3)
        }
      }
      reach.append(next)
    }
  }

  /// The tree over a part that can be decided within `height`.
  private func node(
    _ part: Range<Int>, height: Int, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    let first = part.lowerBound
    if part.count == 1 { return segments[first].node }
    if part.count == 3, isIsland(at: first) {
      return equal(first + 1, else: segments[first].node, in: &graph)
    }
    if part.count == 2 {
      let (left, right) = (segments[first].node, segments[first + 1].node)
      if isSingle(first) { return equal(first, else: right, in: &graph) }
      if isSingle(first + 1) { return equal(first + 1, else: left, in: &graph) }
    }
    let cut = bestCut(part, height: height)
    let below = node(first..<cut, height: height - 1, in: &graph)
    let above = node(cut..<part.upperBound, height: height - 1, in: &graph)
    let test = DecisionGraph.Test(
      word: word, comparison: .greaterOrEqual, constant: segments[cut].first)
    return graph.branch(test, ifTrue: above, ifFalse: below)
  }

  private func equal(
    _ index: Int, else other: DecisionGraph.NodeID, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    let test = DecisionGraph.Test(word: word, comparison: .equal, constant: segments[index].first)
    return graph.branch(test, ifTrue: segments[index].node, ifFalse: other)
  }

  /// Where to cut so that both halves stay within `height - 1` and weigh as nearly the same as possible; between
  /// groups where that can be had.
  private func bestCut(_ part: Range<Int>, height: Int) -> Int {
    let lower = reach[height - 1]
    let highest = min(lower[part.lowerBound], part.upperBound - 1)
    // How far a part reaches grows with where it starts, so the cuts that serve the upper half are a tail.
    var lowest = highest
    while lowest - 1 > part.lowerBound, lower[lowest - 1] >= part.upperBound { lowest -= 1 }
    let total = weights[part.lowerBound] + weights[part.upperBound]
    func imbalance(_ cut: Int) -> Int { abs(2 * weights[cut] - total) }
    let cuts = lowest...highest
    let best = cuts.lazy.filter { startsGroup[$0] }.min { imbalance($0) < imbalance($1) }
    return best ?? cuts.min { imbalance($0) < imbalance($1) } ?? highest
  }
}
