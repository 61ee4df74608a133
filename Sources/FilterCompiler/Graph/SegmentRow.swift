/// The values of a 32-bit word, cut into segments that are decided alike; neighbours differ.
struct SegmentRow {
  /// A run of values of the word, up to the next segment or to the end.
  struct Segment: Equatable {
    var first: UInt32
    var node: DecisionGraph.NodeID
    /// How many intervals of the whole map it stands for.
    var weight: Int32 = 1
    private var longest: Int32 = 0
    /// Whether what decides it can follow its test directly and is wanted nowhere else in the row.
    fileprivate(set) var canFollow = false

    init(first: UInt32, node: DecisionGraph.NodeID, weight: Int = 1) {
      self.first = first
      self.node = node
      self.weight = Int32(weight)
    }

    /// The instructions of the longest way from where it is entered; the row finds out.
    fileprivate(set) var length: Int {
      get { Int(longest) }
      set { longest = Int32(newValue) }
    }
  }

  let word: DataWord
  private(set) var segments: [Segment]

  /// The row of `all`, in ascending order, the first one starting at 0; equal neighbours become one.
  init(_ all: consuming [Segment], of word: DataWord, in graph: DecisionGraph) {
    precondition(all.first?.first == 0, "the segments cover the whole word")
    self.word = word
    segments = all
    var last = 0
    for index in 1..<segments.count {
      if segments[last].node == segments[index].node {
        segments[last].weight += segments[index].weight
      } else {
        last += 1
        segments[last] = segments[index]
      }
    }
    segments.removeLast(segments.count - 1 - last)
    for index in segments.indices { segments[index].length = graph.length(segments[index].node, holding: word) }
    markFollowers()
  }

  /// Answers are wanted everywhere; what takes more than one instruction is wanted here alone where it occurs once.
  private mutating func markFollowers() {
    guard segments.contains(where: { $0.length > 1 }) else { return }
    let inner = segments.indices.filter { segments[$0].length > 1 }.sorted {
      segments[$0].node.index < segments[$1].node.index
    }
    for (place, index) in inner.enumerated() {
      let node = segments[index].node
      let isShared =
        place > 0 && segments[inner[place - 1]].node == node
        || place + 1 < inner.count && segments[inner[place + 1]].node == node
      segments[index].canFollow = !isShared
    }
  }

  var count: Int { segments.count }

  /// Whether all segments are answers, and each takes a test of its own.
  var isPlain: Bool {
    segments.allSatisfy { $0.length == 1 } && (0..<count - 1).allSatisfy { extent(from: $0) == $0 + 2 }
  }

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
