/// How the addresses of one line of 4 GiB are decided by their lower halves: dispositions, and the boundaries between them,
/// which have room where a gap is.
struct LinePattern: Equatable {
  /// From the lowest addresses to the highest; at least two.
  let dispositions: [Disposition]
  /// The boundary before each but the first.
  private(set) var places: [ClosedRange<UInt32>]

  /// The pattern of boundaries within one line, in ascending order.
  init(_ boundaries: ArraySlice<Boundary>) {
    dispositions = boundaries.prefix(1).map(\.before) + boundaries.map(\.after)
    places = boundaries.map { $0.inside.places }
  }

  /// Takes the room that both patterns have, which must be of the same dispositions; false where there is none.
  private mutating func narrow(to other: LinePattern) -> Bool {
    guard zip(places, other.places).allSatisfy({ $0.overlaps($1) }) else { return false }
    for (index, place) in other.places.enumerated() { places[index] = places[index].clamped(to: place) }
    return true
  }

  /// The lower halves at which the next disposition begins, in ascending order.
  var cuts: [UInt32] {
    places.indices.map { places[$0].besideStricter(dispositions[$0], dispositions[$0 + 1]) }
  }

  /// How many of the patterns found last are looked at for one that a line can share.
  private static let looksBack = 64

  /// As few patterns as can be found that serve all `lines`, and for each line the index of its pattern: lines of one
  /// pattern are decided by the same instructions.
  ///
  /// Lines are taken in the order in which the room of their first boundary ends. For lines with one boundary that is
  /// optimal: whatever serves the first line cannot do more for the others than by lying where its room ends.
  static func shared(by lines: [LinePattern]) -> (patterns: [LinePattern], indices: [Int]) {
    var patterns: [LinePattern] = []
    var indices = [Int](repeating: 0, count: lines.count)
    var alike: [[Disposition]: [Int]] = [:]
    let order = lines.indices.sorted { (lines[$0].places[0].upperBound, $0) < (lines[$1].places[0].upperBound, $1) }
    for line in order {
      let known = alike[lines[line].dispositions, default: []].suffix(looksBack).reversed()
      // Patterns end their first room in the order in which they were found: before one that ends too early all do.
      let near = known.prefix { patterns[$0].places[0].upperBound >= lines[line].places[0].lowerBound }
      if let found = near.first(where: { patterns[$0].narrow(to: lines[line]) }) {
        indices[line] = found
      } else {
        indices[line] = patterns.count
        alike[lines[line].dispositions, default: []].append(patterns.count)
        patterns.append(lines[line])
      }
    }
    return (patterns, indices)
  }
}
