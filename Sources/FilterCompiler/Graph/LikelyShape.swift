/// How a few atoms are best told apart: the tree in which calls meet the fewest tests on average.
///
/// All trees are looked at in which a part of the row is decided by "at least" between two atoms, by "equal to" the
/// likeliest single values of the part one after the other, or, where single values are all that differs from the rest, by
/// "equal to" those.
struct LikelyShape {
  /// A tree over the atoms, by their indices.
  indirect enum Tree {
    case leaf(Int)
    /// "At least" the first value of an atom.
    case cut(Int, below: Tree, above: Tree, aboveIsLikelier: Bool)
    /// "Equal to" the value of an atom.
    case equal(Int, otherwise: Tree, isLikelier: Bool)
  }

  /// More atoms are looked at in two steps.
  static let mostAtoms = 40
  /// How many of the likeliest single values of a part are set apart before it is cut.
  private static let mostSetApart = 6

  /// A part of the row without some of its likeliest single values.
  private struct Part: Hashable {
    let lower: Int
    let upper: Int
    let setApart: Int
  }

  private struct Solution {
    let cost: Double
    let step: Step
  }

  private enum Step {
    case leaf(Int)
    case cut(Int)
    case equal(Int)
    case equals([Int], otherwise: Int)
  }

  private let atoms: [Atom]
  /// The single values, the likeliest first.
  private let singles: [Int]
  private var known: [Part: Solution] = [:]

  /// The best tree over at most ``mostAtoms`` atoms.
  static func tree(_ atoms: [Atom]) -> Tree {
    precondition(!atoms.isEmpty && atoms.count <= mostAtoms, "there are a few atoms")
    var shape = LikelyShape(atoms)
    let whole = Part(lower: 0, upper: atoms.count, setApart: 0)
    _ = shape.solution(whole)
    return shape.tree(whole)
  }

  private init(_ atoms: [Atom]) {
    self.atoms = atoms
    singles = atoms.indices.filter { atoms[$0].isSingle }.sorted { atoms[$0].calls > atoms[$1].calls }
  }

  /// The atoms of a part that are not set apart yet.
  private func rest(of part: Part) -> [Int] {
    let gone = singles.lazy.filter { part.lower <= $0 && $0 < part.upper }.prefix(part.setApart)
    return (part.lower..<part.upper).filter { !gone.contains($0) }
  }

  private mutating func solution(_ part: Part) -> Solution {
    if let solution = known[part] { return solution }
    let rest = rest(of: part)
    let solution = isAlike(rest) ? Solution(cost: 0, step: .leaf(rest.first ?? part.lower)) : best(part, rest)
    known[part] = solution
    return solution
  }

  private func isAlike(_ indices: [Int]) -> Bool {
    guard let first = indices.first, indices.count > 1 else { return true }
    return atoms[first].node != nil && indices.allSatisfy { atoms[$0].node == atoms[first].node }
  }

  private mutating func best(_ part: Part, _ rest: [Int]) -> Solution {
    let calls = rest.reduce(0) { $0 + atoms[$1].calls }
    var best = Solution(cost: .infinity, step: .leaf(part.lower))
    func consider(_ cost: Double, _ step: Step) {
      if cost < best.cost { best = Solution(cost: cost, step: step) }
    }
    if let (cost, equals, otherwise) = equals(rest, calls) { consider(cost, .equals(equals, otherwise: otherwise)) }
    let inside = singles.filter { part.lower <= $0 && $0 < part.upper }
    let gone = inside.prefix(part.setApart)
    for cut in part.lower + 1..<part.upper {
      let below = gone.count { $0 < cut }
      let parts = [
        Part(lower: part.lower, upper: cut, setApart: below),
        Part(lower: cut, upper: part.upper, setApart: part.setApart - below),
      ]
      consider(calls + parts.reduce(0) { $0 + solution($1).cost }, .cut(cut))
    }
    if part.setApart < min(Self.mostSetApart, inside.count) {
      let next = Part(lower: part.lower, upper: part.upper, setApart: part.setApart + 1)
      consider(calls + solution(next).cost, .equal(inside[part.setApart]))
    }
    return best
  }

  /// The single values that differ from the rest, the likeliest first, where the rest is decided alike; and what it costs
  /// to test for them one after the other. Where all are single values, the least cost decides which are the rest.
  private func equals(_ rest: [Int], _ calls: Double) -> (cost: Double, equals: [Int], otherwise: Int)? {
    let candidates = rest.first { !atoms[$0].isSingle }.map { [$0] } ?? rest
    var best: (cost: Double, equals: [Int], otherwise: Int)?
    var looked: Set<DecisionGraph.NodeID> = []
    for otherwise in candidates {
      guard let node = atoms[otherwise].node, looked.insert(node).inserted else { continue }
      let others = rest.filter { atoms[$0].node != node }
      guard others.allSatisfy({ atoms[$0].isSingle }) else { continue }
      let equals = others.sorted { atoms[$0].calls > atoms[$1].calls }
      var (cost, left) = (0.0, calls)
      for index in equals {
        cost += left
        left -= atoms[index].calls
      }
      if cost < best?.cost ?? .infinity { best = (cost, equals, otherwise) }
    }
    return best
  }

  // MARK: The tree of the solutions

  private func tree(_ part: Part) -> Tree {
    guard let solution = known[part] else { preconditionFailure("the parts of a solution are solved") }
    switch solution.step {
    case .leaf(let index): return .leaf(index)
    case .cut(let cut):
      let rest = rest(of: part)
      let gone = (part.lower..<cut).count - rest.count { $0 < cut }
      let (below, above) = (calls(rest.filter { $0 < cut }), calls(rest.filter { $0 >= cut }))
      return .cut(
        cut, below: tree(Part(lower: part.lower, upper: cut, setApart: gone)),
        above: tree(Part(lower: cut, upper: part.upper, setApart: part.setApart - gone)),
        aboveIsLikelier: above > below)
    case .equal(let index):
      let next = Part(lower: part.lower, upper: part.upper, setApart: part.setApart + 1)
      return .equal(index, otherwise: tree(next), isLikelier: atoms[index].calls > calls(self.rest(of: next)))
    case .equals(let indices, let otherwise):
      var left = calls(rest(of: part)) - calls(indices)
      var tree = Tree.leaf(otherwise)
      for index in indices.reversed() {
        tree = .equal(index, otherwise: tree, isLikelier: atoms[index].calls > left)
        left += atoms[index].calls
      }
      return tree
    }
  }

  private func calls(_ indices: [Int]) -> Double { indices.reduce(0) { $0 + atoms[$1].calls } }
}
