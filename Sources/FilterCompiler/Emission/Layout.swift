/// Puts the nodes of a decision graph into a row of instructions, from the last to the first.
///
/// Jumps only go forward, so when a node is placed, all that it leads to has its place already, and how far that is can
/// be read off. Where it is further than the 8 bits of a conditional jump reach, a stepping stone is placed first:
/// another copy of the answer, or a jump, which is one instruction either way.
struct Layout {
  /// What can be jumped to: a node, and whether the word that it tests has to be loaded first.
  private struct Entry {
    let node: DecisionGraph.NodeID
    let loads: Bool

    /// Its index among all entries of the graph, two for each node.
    var index: Int { node.index * 2 + (loads ? 1 : 0) }
  }

  /// The furthest that a conditional jump skips.
  private static let farthest = Int(UInt8.max)

  private let graph: DecisionGraph
  /// The instructions from the last to the first.
  private var reversed: [Instruction] = []
  /// For each entry, where in `reversed` it was placed last, so nearest to what comes next; or ``nowhere``.
  private var places: [Int32]
  private static let nowhere = Int32.min

  /// The instructions of the filter that starts at `root`.
  static func emit(_ graph: DecisionGraph, root: DecisionGraph.NodeID) -> [Instruction] {
    var layout = Layout(graph: graph)
    layout.place(layout.entry(root, holding: nil))
    return layout.reversed.reversed()
  }

  private init(graph: DecisionGraph) {
    self.graph = graph
    places = Array(repeating: Self.nowhere, count: graph.count * 2)
    reversed.reserveCapacity(graph.count + graph.count / 2)
  }

  /// How to enter a node while the accumulator holds `word`.
  private func entry(_ node: DecisionGraph.NodeID, holding word: DataWord?) -> Entry {
    switch graph[node] {
    case .answer: Entry(node: node, loads: false)
    case .branch(let test, _, _): Entry(node: node, loads: test.word != word)
    }
  }

  /// Places an entry and all that it leads to, unless it has a place already.
  private mutating func place(_ entry: Entry) {
    guard places[entry.index] == Self.nowhere else { return }
    switch graph[entry.node] {
    case .answer(let action): append(.answer(action))
    case .branch(let test, let ifTrue, let ifFalse):
      if !entry.loads || places[Entry(node: entry.node, loads: false).index] != here {
        placeBranch(test, ifTrue, ifFalse, likelier: graph.likelierOutcome(of: entry.node))
      }
      if entry.loads {
        places[Entry(node: entry.node, loads: false).index] = here
        append(.loadData(test.word))
      }
    }
    places[entry.index] = here
  }

  /// The place of the instruction that was placed last.
  private var here: Int32 { Int32(reversed.count) - 1 }

  private mutating func placeBranch(
    _ test: DecisionGraph.Test, _ ifTrue: DecisionGraph.NodeID, _ ifFalse: DecisionGraph.NodeID, likelier: Bool?
  ) {
    let (whenTrue, whenFalse) = (entry(ifTrue, holding: test.word), entry(ifFalse, holding: test.word))
    // The side that is placed last falls through: the likelier one. Where that is not known it is the one with the shorter
    // ways, so that what is jumped over is small.
    let fallsThrough = likelier ?? (graph.length(ifTrue) < graph.length(ifFalse))
    for entry in fallsThrough ? [whenFalse, whenTrue] : [whenTrue, whenFalse] { place(entry) }
    // A stepping stone pushes the other target away by one, so both are looked at until neither is too far.
    while let far = [whenTrue, whenFalse].first(where: { distance(to: $0) > Self.farthest }) {
      placeSteppingStone(far)
    }
    append(
      .branch(
        test.comparison, .constant(test.constant), jt: UInt8(distance(to: whenTrue)),
        jf: UInt8(distance(to: whenFalse))))
  }

  private mutating func placeSteppingStone(_ entry: Entry) {
    switch graph[entry.node] {
    case .answer(let action): append(.answer(action))
    case .branch: append(.jump(UInt32(distance(to: entry))))
    }
    places[entry.index] = here
  }

  /// How many instructions the next one would skip to get to an entry that has a place.
  private func distance(to entry: Entry) -> Int {
    let place = places[entry.index]
    precondition(place != Self.nowhere, "what a node leads to is placed before it")
    return Int(here - place)
  }

  private mutating func append(_ operation: Operation) { reversed.append(operation.instruction) }
}
