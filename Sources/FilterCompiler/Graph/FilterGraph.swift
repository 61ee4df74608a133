/// The decisions of a whole filter, stage by stage: architecture, number, then the instruction pointer.
struct FilterGraph {
  let graph: DecisionGraph
  let root: DecisionGraph.NodeID

  init(_ map: RegionMap, _ options: CompileOptions) {
    var pieces = map.pieces()
    var graph = DecisionGraph(capacity: pieces.count + 16)
    if let gate = options.gate { pieces = pieces.opening(gate, map.architecture) }
    let byAddress = Self.addressTree(pieces, in: &graph)
    let byNumber = Self.numberTree(map, options, otherwise: byAddress, in: &graph)
    root = Self.architectureTests(
      map, options, native: byNumber, foreign: byAddress, in: &graph)
    self.graph = graph
  }

  private static func addressTree(
    _ pieces: [Piece], in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    AddressTree.build(BoundaryPlacement(pieces), in: &graph) { disposition, graph in
      graph.answer(disposition.action)
    }
  }

  /// Stages 2 and 4 in one tree; what stage 3 lets pass stands in the trees of instruction pointers below it.
  private static func numberTree(
    _ map: RegionMap, _ options: CompileOptions, otherwise: DecisionGraph.NodeID,
    in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    var nodes: [UInt32: DecisionGraph.NodeID] = [:]
    if !options.globalTrapNumbers.isEmpty {
      var everywhere = [Piece(first: 0, last: .max, disposition: .trap(data: options.trapData))]
      if let gate = options.gate { everywhere = everywhere.opening(gate, map.architecture) }
      let trap = addressTree(everywhere, in: &graph)
      for number in options.globalTrapNumbers { nodes[number] = trap }
    }
    if !options.allowedNumbers.isEmpty {
      let allow = graph.answer(Disposition.allow.action)
      for number in options.allowedNumbers { nodes[number] = allow }
    }
    var segments = [IntervalTree.Segment(first: 0, node: otherwise)]
    for (number, node) in nodes.sorted(by: { $0.key < $1.key }) {
      if segments.last?.first == number { segments.removeLast() }
      segments.append(IntervalTree.Segment(first: number, node: node))
      if number < .max { segments.append(IntervalTree.Segment(first: number + 1, node: otherwise)) }
    }
    return IntervalTree.build(segments, of: .number, in: &graph)
  }

  private static func architectureTests(
    _ map: RegionMap, _ options: CompileOptions, native: DecisionGraph.NodeID,
    foreign: DecisionGraph.NodeID, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    let own = AuditArchitecture(map.architecture)
    var node = foreign
    var taken = [own]
    if let checked = options.checkedArchitectures {
      node = graph.answer(options.otherArchitecture.action)
      for architecture in checked where architecture != own {
        node = graph.branch(test(architecture), ifTrue: foreign, ifFalse: node)
      }
      if !checked.contains(own) { taken = [] }
    }
    // The map's own architecture is asked for first: nearly all calls are of it.
    for architecture in taken {
      node = graph.branch(test(architecture), ifTrue: native, ifFalse: node)
    }
    return node
  }

  private static func test(_ architecture: AuditArchitecture) -> DecisionGraph.Test {
    DecisionGraph.Test(word: .architecture, comparison: .equal, constant: architecture.rawValue)
  }
}

extension [Piece] {
  /// The pieces with the instructions that lie in `gate` allowed.
  fileprivate func opening(_ gate: AddressRange, _ architecture: Architecture) -> [Piece] {
    overlaying(.allow, from: gate.start + architecture.instructionLength, through: gate.end)
  }
}
