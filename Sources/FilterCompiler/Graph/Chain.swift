/// Neighbouring segments that a chain of tests decides: each test sets one segment apart and leaves the rest to the next.
///
/// All tests but the last have their successor directly behind them, so that the kernel makes one eBPF instruction of
/// each; the last one, between two answers that lie elsewhere, takes two. In a balanced tree half of the tests are such
/// last ones.
struct Chain {
  /// The segments of the row.
  private(set) var part: Range<Int>
  /// How many tests decide them.
  private(set) var tests = 0
  /// The most instructions on a way through the chain and what follows it.
  private(set) var length: Int
  /// Whether what follows the last test can stand directly behind it.
  private var endsInSubtree: Bool

  /// The chain without tests that leads to one segment.
  init(_ index: Int, in row: SegmentRow) {
    part = index..<index + 1
    length = row.lengths[index]
    endsInSubtree = row.canFollow[index]
  }

  /// The chain of all segments.
  init(whole row: SegmentRow) {
    self.init(0, in: row)
    while extend(in: row) {}
  }

  /// How many eBPF instructions its tests take.
  var size: Int { tests == 0 ? 0 : tests + (endsInSubtree ? 0 : 1) }

  /// Takes in what one more test can set apart: an island and the segment behind it, or else the next segment; false where
  /// the row ends.
  mutating func extend(in row: SegmentRow) -> Bool {
    let (old, new) = (part.upperBound, row.extent(from: part.upperBound - 1))
    guard new > old else { return false }
    for index in old..<new {
      length = max(length, row.lengths[index] + tests)
      if row.canFollow[index] { endsInSubtree = true }
    }
    part = part.lowerBound..<new
    tests += 1
    length += 1
    return true
  }

  /// The root of the chain, new in `graph`: islands are set apart first, then the others from below; of the islands the
  /// one with the longest way comes first.
  func build(from row: SegmentRow, in graph: inout DecisionGraph) -> DecisionGraph.NodeID {
    var islands: [Int] = []
    var cuts: [Int] = []
    var index = part.lowerBound
    while index + 1 < part.upperBound {
      let next = row.extent(from: index) - 1
      if next == index + 2 { islands.append(index + 1) } else { cuts.append(next) }
      index = next
    }
    var node = row.segments[index].node
    for cut in cuts.reversed() {
      node = row.branch(at: cut, below: row.segments[cut - 1].node, above: node, in: &graph)
    }
    if islands.count > 1 { islands.sort { row.lengths[$0] < row.lengths[$1] } }
    for island in islands { node = row.branch(equalTo: island, otherwise: node, in: &graph) }
    return node
  }
}
