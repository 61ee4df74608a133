/// A filter as decisions instead of instructions: which word of the call's description is compared with what, and
/// where that leads.
///
/// Nodes never change, and equal nodes are one node, so a part that several ways lead to exists once. Which word the
/// accumulator holds, in which order nodes lie and how far jumps reach is none of the graph's business: that is
/// ``Layout``'s.
struct DecisionGraph {
  /// A node's identity: two nodes are equal exactly where their identities are.
  struct NodeID: Hashable {
    private let place: UInt32

    init(index: Int) { place = UInt32(index) }

    /// Its place in the order of creation, below ``DecisionGraph/count``.
    var index: Int { Int(place) }
  }

  /// A question with two outcomes, or an answer.
  enum Node: Equatable {
    case answer(Action)
    case branch(Test, ifTrue: NodeID, ifFalse: NodeID)
  }

  /// An unsigned comparison of one word with a constant.
  struct Test: Hashable {
    let word: DataWord
    let comparison: Operation.Comparison
    let constant: UInt32
  }

  private var nodes: [Node] = []
  private var identities: NodeTable
  /// For each node, the most instructions on a way from it to an answer, both included.
  private var lengths: [Int32] = []
  /// The outcome that more calls have, for nodes of which that is known.
  private var likelierOutcomes: [NodeID: Bool] = [:]

  /// A graph without nodes, with room for about `capacity` of them.
  init(capacity: Int = 0) {
    identities = NodeTable(capacity: capacity)
    nodes.reserveCapacity(capacity)
    lengths.reserveCapacity(capacity)
  }

  /// The node that answers `action`.
  mutating func answer(_ action: Action) -> NodeID { identity(of: .answer(action), length: 1) }

  /// The node that asks `test`; no question is asked where both outcomes are the same. `likelier` is the outcome that more
  /// calls have, where that is known; of equal nodes the first one's counts.
  mutating func branch(_ test: Test, ifTrue: NodeID, ifFalse: NodeID, likelier: Bool? = nil) -> NodeID {
    if ifTrue == ifFalse { return ifTrue }
    let longest = max(length(ifTrue, holding: test.word), length(ifFalse, holding: test.word))
    let node = identity(of: .branch(test, ifTrue: ifTrue, ifFalse: ifFalse), length: 1 + longest)
    if let likelier, likelierOutcomes[node] == nil { likelierOutcomes[node] = likelier }
    return node
  }

  /// Takes in all nodes of another graph; what each of them is called here, in the other's order.
  mutating func insert(_ other: DecisionGraph) -> [NodeID] {
    var names: [NodeID] = []
    names.reserveCapacity(other.count)
    // A node is younger than those it leads to.
    for node in other.nodes {
      switch node {
      case .answer(let action): names.append(answer(action))
      case .branch(let test, let ifTrue, let ifFalse):
        names.append(branch(test, ifTrue: names[ifTrue.index], ifFalse: names[ifFalse.index]))
      }
    }
    return names
  }

  private mutating func identity(of node: Node, length: Int) -> NodeID {
    let id = identities.identity(of: node, among: nodes)
    if id.index == nodes.count {
      nodes.append(node)
      lengths.append(Int32(length))
    }
    return id
  }

  /// Which outcome of a node more calls have; nil where that is not known.
  func likelierOutcome(of id: NodeID) -> Bool? { likelierOutcomes[id] }

  /// How many nodes there are.
  var count: Int { nodes.count }

  subscript(id: NodeID) -> Node { nodes[id.index] }

  /// The word that has to be loaded before this node; nil for an answer.
  func word(of id: NodeID) -> DataWord? {
    guard case .branch(let test, _, _) = self[id] else { return nil }
    return test.word
  }

  /// The most instructions that a call runs through from this node on, its answer included, while the accumulator holds
  /// `word`: where the node asks for another one, that is loaded first.
  func length(_ id: NodeID, holding word: DataWord) -> Int {
    length(id) + (self.word(of: id).map { $0 == word ? 0 : 1 } ?? 0)
  }

  /// The same where the word that the node asks for has been loaded.
  func length(_ id: NodeID) -> Int { Int(lengths[id.index]) }
}
