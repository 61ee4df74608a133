/// The least cost that any tree of "at least" and "equal to" can have, found by looking at all of them: eBPF instructions
/// of the filter times instructions on its longest way, which is what the compiler makes least where it knows no weights.
///
/// A test takes one eBPF instruction where a test that it leads to can stand directly behind it, and two between two
/// answers, which lie elsewhere; one of all tests has an answer directly behind it. No two tests of a tree are asked about
/// the same values, so none can be shared.
package struct SmallestTree {
  /// Values that are decided alike.
  package struct Atom: Sendable {
    let answer: Int
    let isSingle: Bool

    /// `answer` tells what is decided; one value is a single.
    package init(answer: Int, isSingle: Bool) {
      self.answer = answer
      self.isSingle = isSingle
    }
  }

  /// What a filter has besides the tree.
  package typealias Surroundings = (size: Int, length: Int)

  private static let impossible = Int.max / 4
  private let atoms: [Atom]
  /// By the set of atoms that are left, a bit each: the fewest eBPF instructions of a tree of each height.
  private var known: [UInt32: [Int]] = [:]

  /// The least product over all trees for at most 14 atoms in ascending order.
  package static func cost(_ atoms: [Atom], besides rest: Surroundings) -> Int {
    precondition(!atoms.isEmpty && atoms.count <= 14, "all subsets are looked at")
    var search = SmallestTree(atoms: atoms)
    let sizes = search.sizes(UInt32(1) << UInt32(atoms.count) - 1)
    if sizes[0] == 0 { return rest.size * rest.length }
    return sizes.indices.dropFirst().reduce(Int.max) { least, height in
      sizes[height] == impossible ? least : min(least, (rest.size + sizes[height] - 1) * (rest.length + height))
    }
  }

  private init(atoms: [Atom]) { self.atoms = atoms }

  private mutating func sizes(_ set: UInt32) -> [Int] {
    if let sizes = known[set] { return sizes }
    let members = atoms.indices.filter { set >> UInt32($0) & 1 == 1 }
    var best = [Int](repeating: 0, count: atoms.count + 1)
    if let first = members.first, members.contains(where: { atoms[$0].answer != atoms[first].answer }) {
      best = Array(repeating: Self.impossible, count: atoms.count + 1)
      for member in members {
        let below = set & (UInt32(1) << UInt32(member) - 1)
        if below != 0 { consider(sizes(below), sizes(set & ~below), &best) }
        if atoms[member].isSingle { consider(sizes(set & ~(1 << UInt32(member))), sizes(1 << UInt32(member)), &best) }
      }
    }
    known[set] = best
    return best
  }

  private func consider(_ left: [Int], _ right: [Int], _ best: inout [Int]) {
    for height in 1..<best.count {
      let (one, other) = (left[height - 1], right[height - 1])
      guard one < Self.impossible, other < Self.impossible else { continue }
      best[height] = min(best[height], one + other + (one == 0 && other == 0 ? 2 : 1))
    }
  }
}
