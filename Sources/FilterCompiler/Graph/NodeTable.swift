/// Finds the nodes of a decision graph by what they are: a hash table with open addressing.
///
/// Graphs are made node by node, and each is looked up: a good part of what compiling costs.
struct NodeTable {
  /// The index of a node and 1 more, or 0 where there is none; a power of two of them.
  private var slots: [UInt32]

  /// A table with room for so many nodes.
  init(capacity: Int) {
    var size = 16
    while size < 2 * capacity { size *= 2 }
    slots = Array(repeating: 0, count: size)
  }

  /// The identity of a node: that of an equal one, or else the next one after those of `nodes`, which are all there are.
  mutating func identity(
    of node: DecisionGraph.Node, among nodes: [DecisionGraph.Node]
  ) -> DecisionGraph.NodeID {
    var slot = start(node)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if nodes[index] == node { return DecisionGraph.NodeID(index: index) }
      slot = (slot + 1) & (slots.count - 1)
    }
    slots[slot] = UInt32(nodes.count + 1)
    if 2 * (nodes.count + 1) > slots.count {
      slots = Array(repeating: 0, count: 2 * slots.count)
      for (index, node) in (nodes + [node]).enumerated() { put(index, node) }
    }
    return DecisionGraph.NodeID(index: nodes.count)
  }

  private mutating func put(_ index: Int, _ node: DecisionGraph.Node) {
    var slot = start(node)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = UInt32(index + 1)
  }

  /// Where to look first.
  private func start(_ node: DecisionGraph.Node) -> Int {
    var hash: UInt64
    switch node {
    case .answer(let action): hash = UInt64(action.rawValue)
    case .branch(let test, let ifTrue, let ifFalse):
      hash = UInt64(test.constant) << 32 | UInt64(test.word.index) << 16 | UInt64(test.comparison.rawValue)
      hash = Self.mixed(hash) ^ (UInt64(UInt32(truncatingIfNeeded: ifTrue.index)) << 32 ^ UInt64(ifFalse.index))
    }
    return Int(truncatingIfNeeded: Self.mixed(hash) >> 32) & (slots.count - 1)
  }

  /// A multiplication by the golden ratio spreads what differs over the upper bits.
  private static func mixed(_ hash: UInt64) -> UInt64 {
    let product = hash &* 0x9e37_79b9_7f4a_7c15
    return product ^ product >> 32
  }
}
