/// The values of a 32-bit word, cut into segments that are decided alike; neighbours differ.
struct SegmentRow {
  /// A run of values of the word, up to the next segment or to the end.
  struct Segment: Equatable {
    var first: UInt32
    var node: DecisionGraph.NodeID
    /// How many intervals of the whole map it stands for.
    var weight = 1
  }

  let word: DataWord
  private(set) var segments: [Segment] = []
  /// For each segment, the instructions of the longest way from where it is entered.
  let lengths: [Int]
  /// For each segment, whether what decides it can follow its test directly and is wanted nowhere else in the row.
  let canFollow: [Bool]

  /// The row of `all`, in ascending order, the first one starting at 0; equal neighbours become one.
  init(_ all: [Segment], of word: DataWord, in graph: DecisionGraph) {
    precondition(all.first?.first == 0, "the segments cover the whole word")
    self.word = word
    for segment in all {
      if let last = segments.last, last.node == segment.node {
        segments[segments.count - 1].weight += segment.weight
      } else {
        segments.append(segment)
      }
    }
    lengths = segments.map { graph.length($0.node, holding: word) }
    guard lengths.contains(where: { $0 > 1 }) else {
      // Answers are wanted everywhere.
      canFollow = Array(repeating: false, count: segments.count)
      return
    }
    var uses: [DecisionGraph.NodeID: Int] = [:]
    for segment in segments where graph.word(of: segment.node) != nil { uses[segment.node, default: 0] += 1 }
    canFollow = segments.map { uses[$0.node] == 1 }
  }

  var count: Int { segments.count }

  /// Whether all segments are answers, and each takes a test of its own.
  var isPlain: Bool { lengths.allSatisfy { $0 == 1 } && (0..<count - 1).allSatisfy { extent(from: $0) == $0 + 2 } }

  /// Where the part of the row ends that one more test adds to one that ends with the segment at `index`: after an island
  /// and the segment behind it, else after the next segment.
  func extent(from index: Int) -> Int { index + 1 < count && isIsland(index + 1) ? index + 3 : min(index + 2, count) }

  /// Whether the segment at `index` is one value between two segments that are decided alike, so that one "equal to" sets
  /// it apart where two comparisons would be needed.
  private func isIsland(_ index: Int) -> Bool {
    guard index + 1 < count, segments[index].first + 1 == segments[index + 1].first else { return false }
    return segments[index - 1].node == segments[index + 1].node
  }

  /// The root of a tree that decides between what lies below and from the start of the segment at `cut` on.
  func branch(
    at cut: Int, below: DecisionGraph.NodeID, above: DecisionGraph.NodeID, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    let test = DecisionGraph.Test(word: word, comparison: .greaterOrEqual, constant: segments[cut].first)
    return graph.branch(test, ifTrue: above, ifFalse: below)
  }

  /// The root of a tree that sets the one value of the segment at `index` apart.
  func branch(equalTo index: Int, otherwise: DecisionGraph.NodeID, in graph: inout DecisionGraph)
    -> DecisionGraph.NodeID
  {
    let test = DecisionGraph.Test(word: word, comparison: .equal, constant: segments[index].first)
    return graph.branch(test, ifTrue: segments[index].node, ifFalse: otherwise)
  }
}
