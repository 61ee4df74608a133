/// What decides the calls of one architecture by their numbers: segments that cover all 2^32 of them.
struct NumberLine {
  /// A run of numbers, up to the next segment or to the end.
  struct Segment: Hashable {
    var first: UInt32
    var node: DecisionGraph.NodeID
  }

  /// In ascending order, the first one starting at 0; neighbours differ.
  private(set) var segments: [Segment]

  /// One node for all numbers.
  init(_ node: DecisionGraph.NodeID) { segments = [Segment(first: 0, node: node)] }

  /// A line of these segments, the first of which starts at 0.
  init(_ all: [Segment]) {
    segments = []
    for segment in all where segments.last?.node != segment.node { segments.append(segment) }
  }

  /// The node of a number.
  subscript(number: UInt32) -> DecisionGraph.NodeID {
    segments[segments.partitioningIndex { $0.first > number } - 1].node
  }

  /// Where a segment starts.
  var starts: [UInt32] { segments.map(\.first) }

  /// The line with other segments, of which the first starts at `range.lowerBound`, for the numbers in `range`.
  func replacing(_ range: ClosedRange<UInt32>, with other: [Segment]) -> NumberLine {
    var result = segments.filter { $0.first < range.lowerBound } + other
    if range.upperBound < .max {
      result.append(Segment(first: range.upperBound + 1, node: self[range.upperBound + 1]))
    }
    result += segments.filter { $0.first > range.upperBound && $0.first - 1 > range.upperBound }
    return NumberLine(result)
  }
}
