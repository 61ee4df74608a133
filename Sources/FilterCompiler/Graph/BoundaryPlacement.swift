/// Decides where, inside the gaps that nobody cares about, one disposition ends and the next begins, so that one comparison
/// of 32 bits decides where two would be needed.
///
/// A boundary that may lie at the start of a line of 4 GiB does: the lower half of the pointer is not read for it. Other
/// boundaries lie where as many lines as possible are decided by the same instructions. What is left open is decided in
/// favour of the more lenient neighbour.
struct BoundaryPlacement {
  /// Lines of 4 GiB, up to the next stretch or to the end, that are decided alike.
  struct Stretch: Equatable {
    /// The upper half of their lowest address.
    var first: UInt32
    /// What decides them.
    var content: Content
  }

  enum Content: Hashable {
    /// A disposition, by its number.
    case disposition(DispositionTable.Number)
    /// One of ``BoundaryPlacement/patterns``, for the lower half.
    case pattern(Int32)
  }

  /// A stretch whose first line is still open.
  private struct OpenStretch {
    var firsts: ClosedRange<UInt32>
    var content: Content
    /// The dispositions of its lowest and its highest address.
    var outer: (lowest: DispositionTable.Number, highest: DispositionTable.Number)
  }

  /// In ascending order, the first one starting at 0.
  private(set) var stretches: [Stretch] = []
  let patterns: [LinePattern]
  /// What the numbers of dispositions stand for.
  private(set) var dispositions = DispositionTable()
  private let boundaries: [Boundary]
  /// For each boundary of a pattern, the room in the lower half that is left of it.
  private let places: [ClosedRange<UInt32>]

  init(_ pieces: [Piece]) {
    boundaries = Boundary.all(between: pieces, &dispositions)
    let lines = Self.lines(of: boundaries)
    var places = boundaries.map { $0.lines == nil ? $0.inside.places : 0...0 }
    let indices: [Int]
    (patterns, indices) = LinePattern.shared(by: lines, of: boundaries, &places)
    self.places = places
    // Nobody cares about anything where no piece has a disposition.
    let lowest = dispositions.all.isEmpty ? dispositions.number(of: .allow) : boundaries.first?.before ?? 0
    var open = [OpenStretch(firsts: 0...0, content: .disposition(lowest), outer: (lowest, lowest))]
    open.reserveCapacity(2 * boundaries.count + 1)
    var line = 0
    var next = 0
    while next < boundaries.count {
      if let firsts = boundaries[next].lines {
        Self.append(boundaries[next].after, firsts, to: &open)
        next += 1
      } else {
        Self.append(boundaries[lines[line]], .pattern(Int32(indices[line])), to: &open)
        next = lines[line].upperBound
        line += 1
      }
    }
    stretches = settled(open)
  }

  /// The lower half as a pattern cuts it, each disposition decided by the node that `leaves` has at its number.
  func segments(of pattern: LinePattern, _ leaves: [DecisionGraph.NodeID]) -> [SegmentRow.Segment] {
    let lowest = boundaries[pattern.boundaries.lowerBound].before
    var segments = [SegmentRow.Segment(first: 0, node: leaves[Int(lowest)])]
    segments.reserveCapacity(pattern.boundaries.count + 1)
    for index in pattern.boundaries {
      let (before, after) = (boundaries[index].before, boundaries[index].after)
      let first = dispositions.besideStricter(places[index], before, after)
      segments.append(SegmentRow.Segment(first: first, node: leaves[Int(after)]))
    }
    return segments
  }

  /// The boundaries, line by line, that cannot lie at the start of a line.
  private static func lines(of boundaries: [Boundary]) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    lines.reserveCapacity(boundaries.count)
    for (index, boundary) in boundaries.enumerated() where boundary.lines == nil {
      if let last = lines.last, last.upperBound == index, boundaries[index - 1].inside.line == boundary.inside.line {
        lines[lines.count - 1] = last.lowerBound..<index + 1
      } else {
        lines.append(index..<index + 1)
      }
    }
    return lines
  }

  private static func append(
    _ disposition: DispositionTable.Number, _ firsts: ClosedRange<UInt32>, to open: inout [OpenStretch]
  ) {
    // What stands behind a pattern and ends with its line needs no line of its own.
    if let last = open.last, last.firsts.lowerBound == firsts.lowerBound { open.removeLast() }
    open.append(OpenStretch(firsts: firsts, content: .disposition(disposition), outer: (disposition, disposition)))
  }

  /// Appends a line with boundaries inside of it, and what follows on the next one.
  private static func append(_ boundaries: ArraySlice<Boundary>, _ content: Content, to open: inout [OpenStretch]) {
    guard let first = boundaries.first, let last = boundaries.last, let before = open.last else { return }
    let line = first.inside.line
    // What precedes needs no line of its own where all of it that is cared for lies in this one.
    let firsts = before.firsts.upperBound == line ? before.firsts : line...line
    if before.firsts.upperBound == line { open.removeLast() }
    open.append(OpenStretch(firsts: firsts, content: content, outer: (first.before, last.after)))
    if line < .max {
      open.append(
        OpenStretch(
          firsts: line + 1...line + 1, content: .disposition(last.after), outer: (last.after, last.after)))
    }
  }

  /// The stretches with their first lines. Where a stretch between two that are decided alike can be a single line, it is
  /// one, so that one "equal to" sets it apart.
  private func settled(_ open: [OpenStretch]) -> [Stretch] {
    var stretches: [Stretch] = []
    stretches.reserveCapacity(open.count)
    var index = 0
    while index < open.count {
      let (firsts, line) = (open[index].firsts, open[index].firsts.upperBound)
      if index > 0, index + 1 < open.count, open[index - 1].content == open[index + 1].content, line < .max,
        open[index + 1].firsts.lowerBound == line + 1
      {
        stretches.append(Stretch(first: line, content: open[index].content))
        stretches.append(Stretch(first: line + 1, content: open[index + 1].content))
        index += 2
        continue
      }
      let first =
        index == 0 ? 0 : dispositions.besideStricter(firsts, open[index - 1].outer.highest, open[index].outer.lowest)
      stretches.append(Stretch(first: first, content: open[index].content))
      index += 1
    }
    return stretches
  }
}
