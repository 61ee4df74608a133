/// Values of a word that are decided alike and are as likely as each other, for all that a tree cares.
struct Atom {
  /// Up to the next atom or to the end.
  let first: UInt32
  /// What decides them; nil for a stretch of several atoms that a tree of their own decides.
  let node: DecisionGraph.NodeID?
  /// Whether it is one value, which one "equal to" sets apart.
  let isSingle: Bool
  /// How many calls have these values.
  var calls: Double

  /// The atoms of a row: its segments, from which the values with calls of their own are cut out.
  static func all(_ segments: [SegmentRow.Segment], _ spread: WordSpread) -> [Atom] {
    let singles = spread.entries.lazy.filter { $0.values.count == 1 }.map(\.values.lowerBound)
    let starts = segments.map(\.first) + singles + singles.filter { $0 < .max }.map { $0 + 1 }
    let firsts = Set(starts).sorted()
    var segment = 0
    return firsts.indices.map { index in
      let first = firsts[index]
      let last = index + 1 < firsts.count ? firsts[index + 1] - 1 : .max
      while segment + 1 < segments.count, segments[segment + 1].first <= first { segment += 1 }
      return Atom(
        first: first, node: segments[segment].node, isSingle: first == last, calls: spread.calls(in: first...last))
    }
  }
}
