/// How the addresses of a line of 4 GiB are decided by their lower halves: dispositions, and the boundaries between them,
/// which have room where a gap is.
///
/// Lines of one pattern are decided by the same instructions.
struct LinePattern {
  /// The boundaries of the first line that it was made for, by their places among all of the map.
  let boundaries: Range<Int>

  /// How many of the patterns found last are looked at for one that a line can share.
  private static let looksBack = 64

  /// As few patterns as can be found that serve all `lines`, each of them some of the `boundaries`, and for each line the
  /// index of its pattern. What room is left of a pattern's boundaries is left in `places`, which has the room of all.
  ///
  /// Lines are taken in the order in which the room of their first boundary ends. For lines with one boundary that is
  /// optimal: whatever serves the first line cannot do more for the others than by lying where its room ends.
  static func shared(
    by lines: [Range<Int>], of boundaries: [Boundary], _ places: inout [ClosedRange<UInt32>]
  ) -> (patterns: [LinePattern], indices: [Int]) {
    var patterns: [LinePattern] = []
    patterns.reserveCapacity(lines.count)
    var indices = [Int](repeating: 0, count: lines.count)
    let order = Self.order(lines, of: boundaries, places)
    // The patterns before these are of other dispositions than the line.
    var firstAlike = 0
    for (position, line) in order.enumerated() {
      if position > 0, Self.precedes(lines[order[position - 1]], lines[line], boundaries) != nil {
        firstAlike = patterns.count
      }
      var found = patterns.count
      for index in (firstAlike..<patterns.count).suffix(looksBack).reversed() {
        let pattern = patterns[index].boundaries
        // Patterns end their first room in the order in which they were found: before one that ends too early all do.
        guard places[pattern.lowerBound].upperBound >= places[lines[line].lowerBound].lowerBound else { break }
        if Self.narrow(pattern, to: lines[line], &places) {
          found = index
          break
        }
      }
      if found == patterns.count { patterns.append(LinePattern(boundaries: lines[line])) }
      indices[line] = found
    }
    return (patterns, indices)
  }

  /// The lines of the same dispositions one after the other, and those in the order in which their first room ends.
  private static func order(
    _ lines: [Range<Int>], of boundaries: [Boundary], _ places: [ClosedRange<UInt32>]
  ) -> [Int] {
    lines.indices.sorted { a, b in
      if let precedes = precedes(lines[a], lines[b], boundaries) { return precedes }
      let (first, second) = (places[lines[a].lowerBound].upperBound, places[lines[b].lowerBound].upperBound)
      return (first, a) < (second, b)
    }
  }

  /// Whether a line comes before another one because of their dispositions; nil where those are the same.
  private static func precedes(_ a: Range<Int>, _ b: Range<Int>, _ boundaries: [Boundary]) -> Bool? {
    if a.count != b.count { return a.count < b.count }
    let (first, second) = (boundaries[a.lowerBound].before, boundaries[b.lowerBound].before)
    if first != second { return first < second }
    for (left, right) in zip(a, b) where boundaries[left].after != boundaries[right].after {
      return boundaries[left].after < boundaries[right].after
    }
    return nil
  }

  /// Leaves a pattern the room that a line has as well, which must be of the same dispositions; false where there is none.
  private static func narrow(_ pattern: Range<Int>, to line: Range<Int>, _ places: inout [ClosedRange<UInt32>]) -> Bool
  {
    for (left, right) in zip(pattern, line) where !places[left].overlaps(places[right]) { return false }
    for (left, right) in zip(pattern, line) { places[left] = places[left].clamped(to: places[right]) }
    return true
  }
}
