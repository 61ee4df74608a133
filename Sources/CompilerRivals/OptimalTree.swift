/// The fewest tests that calls can meet on average in any tree of "at least" and "equal to", found by looking at all of
/// them: what trees that are found faster are measured against.
package struct OptimalTree {
  /// Values that are decided alike.
  package struct Atom: Sendable {
    let answer: Int
    let isSingle: Bool
    let calls: Double

    /// `answer` tells what is decided; one value is a single.
    package init(answer: Int, isSingle: Bool, calls: Double) {
      self.answer = answer
      self.isSingle = isSingle
      self.calls = calls
    }
  }

  private let atoms: [Atom]
  /// By the set of atoms that are left, a bit each.
  private var known: [UInt32: Double] = [:]

  /// The mean number of tests over all calls, for at most 16 atoms in ascending order.
  package static func tests(_ atoms: [Atom]) -> Double {
    precondition(atoms.count <= 16, "all subsets are looked at")
    var search = OptimalTree(atoms: atoms)
    return search.cost(UInt32(1) << UInt32(atoms.count) - 1) / atoms.reduce(0) { $0 + $1.calls }
  }

  private init(atoms: [Atom]) { self.atoms = atoms }

  private mutating func cost(_ set: UInt32) -> Double {
    if let cost = known[set] { return cost }
    let members = atoms.indices.filter { set >> UInt32($0) & 1 == 1 }
    var best = 0.0
    if let first = members.first, members.contains(where: { atoms[$0].answer != atoms[first].answer }) {
      best = .infinity
      for member in members {
        let below = set & (UInt32(1) << UInt32(member) - 1)
        if below != 0 { best = min(best, cost(below) + cost(set & ~below)) }
        if atoms[member].isSingle { best = min(best, cost(set & ~(1 << UInt32(member)))) }
      }
      best += members.reduce(0) { $0 + atoms[$1].calls }
    }
    known[set] = best
    return best
  }
}
