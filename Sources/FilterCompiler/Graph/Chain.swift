/// Neighbouring segments that a chain of tests decides: each test sets one segment apart and leaves the rest to the next.
///
/// All tests but the last have their successor directly behind them, so that the kernel makes one eBPF instruction of
/// each; the last one, between two answers that lie elsewhere, takes two. In a balanced tree half of the tests are such
/// last ones.
struct Chain {
  /// What one more test sets apart behind a segment: an island and the segment behind it, or else the next segment.
  struct Extension {
    /// Where the part of the row ends then.
    fileprivate let end: Int32
    /// The longest way from what is added.
    fileprivate let length: Int32
    /// Whether any of it can stand directly behind a test.
    fileprivate let canFollow: Bool

    /// What can be added to a chain that ends with the segment at `index`; nothing where the row ends.
    init(behind index: Int, in row: SegmentRow) {
      let added = row.segments[index + 1..<row.extent(from: index)]
      end = Int32(added.endIndex)
      length = Int32(added.reduce(0) { max($0, $1.length) })
      canFollow = added.contains { $0.canFollow }
    }
  }

  // Rows of thousands of segments have as many chains to choose from.
  private let first: Int32
  private var last: Int32
  private var testCount: Int32 = 0
  private var longest: Int32
  /// Whether what follows the last test can stand directly behind it.
  private var endsInSubtree: Bool

  /// The chain without tests that leads to one segment.
  init(_ index: Int, in row: SegmentRow) {
    first = Int32(index)
    last = first
    longest = Int32(row.segments[index].length)
    endsInSubtree = row.segments[index].canFollow
  }

  /// The chain of all segments.
  init(whole row: SegmentRow) {
    self.init(0, in: row)
    while extend(in: row) {}
  }

  /// The segments of the row.
  var part: Range<Int> { Int(first)..<end }
  /// Where they end.
  var end: Int { Int(last) + 1 }
  /// How many tests decide them.
  var tests: Int { Int(testCount) }
  /// The most instructions on a way through the chain and what follows it.
  var length: Int { Int(longest) }
  /// How many eBPF instructions its tests take.
  var size: Int { testCount == 0 ? 0 : tests + (endsInSubtree ? 0 : 1) }

  /// Takes in what one more test can set apart; false where the row ends.
  mutating func extend(in row: SegmentRow) -> Bool { extend(by: Extension(behind: Int(last), in: row)) }

  /// The same where it is known what that is.
  mutating func extend(by added: Extension) -> Bool {
    guard added.end > last + 1 else { return false }
    longest = max(longest, added.length + testCount) + 1
    endsInSubtree = endsInSubtree || added.canFollow
    last = added.end - 1
    testCount += 1
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
    if islands.count > 1 { islands.sort { row.segments[$0].length < row.segments[$1].length } }
    for island in islands { node = row.branch(equalTo: island, otherwise: node, in: &graph) }
    return node
  }
}
