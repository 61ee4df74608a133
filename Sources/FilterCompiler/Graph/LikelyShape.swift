/// How a few atoms are best told apart: the tree in which calls meet the fewest tests on average.
///
/// A set of atoms is decided by "at least" between two of them, or by "equal to" a single value. For small sets all trees
/// are looked at. Of a larger one only values that many calls have are set apart before it is cut, or, where single values
/// are all that differs from the rest, those one after the other.
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
  static let mostAtoms = 24
  /// A row up to this size is looked at in all ways.
  private static let smallRow = 10
  /// And so is a part of a larger one up to this size.
  private static let smallPart = 5
  /// In larger parts a value is set apart that at least one in so many calls has.
  private static let likely = 4.0

  /// Atoms, a bit each.
  private typealias Members = UInt64

  private enum Step {
    case leaf(Int)
    case cut(Int)
    case equal(Int)
    case equals([Int], otherwise: Int)
  }

  private let atoms: [Atom]
  private let small: Int
  private var known: [Members: (cost: Double, step: Step)] = [:]

  /// The best tree over at most ``mostAtoms`` atoms.
  static func tree(_ atoms: [Atom]) -> Tree {
    precondition(!atoms.isEmpty && atoms.count <= mostAtoms, "there are a few atoms")
    var shape = LikelyShape(atoms: atoms, small: atoms.count <= smallRow ? smallRow : smallPart)
    let all = Members(1) << Members(atoms.count) - 1
    _ = shape.cost(all)
    return shape.tree(all)
  }

  private init(atoms: [Atom], small: Int) {
    self.atoms = atoms
    self.small = small
  }

  /// Calls times the tests that they meet, in the best tree for some atoms.
  private mutating func cost(_ members: Members) -> Double {
    if let known = known[members] { return known.cost }
    let indices = indices(of: members)
    let solution = isAlike(indices) ? (cost: 0, step: .leaf(indices.first ?? 0)) : best(members, indices)
    known[members] = solution
    return solution.cost
  }

  private func isAlike(_ indices: [Int]) -> Bool {
    guard let first = indices.first, indices.count > 1 else { return true }
    return atoms[first].node != nil && indices.allSatisfy { atoms[$0].node == atoms[first].node }
  }

  private mutating func best(_ members: Members, _ indices: [Int]) -> (cost: Double, step: Step) {
    let all = calls(indices)
    var best = (cost: Double.infinity, step: Step.leaf(0))
    func consider(_ cost: Double, _ step: Step) {
      if cost < best.cost { best = (cost, step) }
    }
    for cut in indices.dropFirst() {
      let below = members & (1 << Members(cut) - 1)
      consider(all + cost(below) + cost(members & ~below), .cut(cut))
    }
    let isSmall = indices.count <= small
    for index in indices where atoms[index].isSingle && (isSmall || atoms[index].calls * Self.likely >= all) {
      consider(all + cost(members & ~(1 << Members(index))), .equal(index))
    }
    if !isSmall, let (cost, equals, otherwise) = equals(indices, all) {
      consider(cost, .equals(equals, otherwise: otherwise))
    }
    return best
  }

  /// The single values that differ from the rest, the likeliest first, where the rest is decided alike; and what it costs
  /// to test for them one after the other. Where all are single values, the least cost decides which are the rest.
  private func equals(_ indices: [Int], _ all: Double) -> (cost: Double, equals: [Int], otherwise: Int)? {
    let candidates = indices.first { !atoms[$0].isSingle }.map { [$0] } ?? indices
    var best: (cost: Double, equals: [Int], otherwise: Int)?
    var looked: Set<DecisionGraph.NodeID> = []
    for otherwise in candidates {
      guard let node = atoms[otherwise].node, looked.insert(node).inserted else { continue }
      let others = indices.filter { atoms[$0].node != node }
      guard others.allSatisfy({ atoms[$0].isSingle }) else { continue }
      let equals = others.sorted { atoms[$0].calls > atoms[$1].calls }
      var (cost, left) = (0.0, all)
      for index in equals {
        cost += left
        left -= atoms[index].calls
      }
      if cost < best?.cost ?? .infinity { best = (cost, equals, otherwise) }
    }
    return best
  }

  // MARK: The tree of the solutions

  private func tree(_ members: Members) -> Tree {
    guard let step = known[members]?.step else { preconditionFailure("the parts of a solution are solved") }
    let all = calls(indices(of: members))
    switch step {
    case .leaf(let index): return .leaf(index)
    case .cut(let cut):
      let below = members & (1 << Members(cut) - 1)
      return .cut(
        cut, below: tree(below), above: tree(members & ~below),
        aboveIsLikelier: calls(indices(of: members & ~below)) * 2 > all)
    case .equal(let index):
      let otherwise = tree(members & ~(1 << Members(index)))
      return .equal(index, otherwise: otherwise, isLikelier: atoms[index].calls * 2 > all)
    case .equals(let indices, let otherwise):
      var left = all - calls(indices)
      var tree = Tree.leaf(otherwise)
      for index in indices.reversed() {
        tree = .equal(index, otherwise: tree, isLikelier: atoms[index].calls > left)
        left += atoms[index].calls
      }
      return tree
    }
  }

  private func indices(of members: Members) -> [Int] { atoms.indices.filter { members >> Members($0) & 1 == 1 } }

  private func calls(_ indices: [Int]) -> Double { indices.reduce(0) { $0 + atoms[$1].calls } }
}
