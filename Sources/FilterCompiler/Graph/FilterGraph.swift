/// The decisions of a whole filter, stage by stage: architecture, number, the instruction pointer, and where a policy is
/// what a region has, number and arguments.
///
/// A number that is decided alike wherever a call comes from is decided before the instruction pointer is read: the
/// kernel's bitmap of constant answers takes those that are allowed then, and the trees below need not ask for them.
struct FilterGraph {
  private(set) var graph: DecisionGraph
  private(set) var root = DecisionGraph.NodeID(index: 0)

  private let map: RegionMap
  private let options: CompileOptions
  /// The instruction pointers, with the gate open.
  private let placement: BoundaryPlacement
  /// How calls are spread over the instruction pointers, where that is known.
  private let pointers: PointerSpread?
  private var bodies = LinkedBodies()
  /// The trees of instruction pointers, with what their leaves are: most architectures have the same.
  private var addressTrees: [AddressLeaves] = []

  private struct AddressLeaves {
    /// By the numbers of dispositions.
    let leaves: [DecisionGraph.NodeID]
    let root: DecisionGraph.NodeID
  }

  init(_ map: RegionMap, _ options: CompileOptions) {
    self.map = map
    self.options = options
    var pieces = map.pieces()
    // A piece between others is a load and two comparisons at most.
    graph = DecisionGraph(capacity: 2 * pieces.count + 16)
    if let gate = options.gate { pieces = pieces.opening(gate, map.architecture) }
    placement = BoundaryPlacement(pieces)
    pointers = options.weights?.pointerSpread(map.architecture)
    root = architectureTests()
  }

  // MARK: Architectures

  private mutating func architectureTests() -> DecisionGraph.NodeID {
    var node = decisions(of: nil)
    // The map's own architecture is asked for first: nearly all calls are of it.
    let own = AuditArchitecture(map.architecture)
    for architecture in foreignArchitectures + [own] {
      let test = DecisionGraph.Test(word: .architecture, comparison: .equal, constant: architecture.rawValue)
      node = graph.branch(test, ifTrue: decisions(of: architecture), ifFalse: node)
    }
    return node
  }

  /// The other architectures whose calls something is said about, in ascending order.
  private var foreignArchitectures: [AuditArchitecture] {
    var named = options.checkedArchitectures ?? []
    named += Array(options.foreignAllowedNumbers.keys) + Array(options.foreignTrapNumbers.keys)
    if options.x32 != nil { named.append(.x86_64) }
    for disposition in placement.dispositions.all + [options.otherArchitecture] {
      if case .policy(let body) = disposition { named += body.architectures }
    }
    let own = AuditArchitecture(map.architecture)
    return named.map(\.rawValue).ascending.map(AuditArchitecture.init(rawValue:)).filter { $0 != own }
  }

  /// What decides the calls of an architecture; nil is one that nothing names.
  private mutating func decisions(of architecture: AuditArchitecture?) -> DecisionGraph.NodeID {
    if let checked = options.checkedArchitectures, !(architecture.map(checked.contains) ?? false) {
      return tree(bodies.line(of: options.otherArchitecture, architecture, in: &graph), of: architecture)
    }
    var line = linked(architecture)
    if let architecture { overlayStages(architecture, on: &line) }
    if architecture == .x86_64, let x32 = options.x32 {
      let turnedAway = bodies.line(of: x32, .x86_64, in: &graph)
      line = line.replacing(CallTable.x32Numbers, with: turnedAway.segments(in: CallTable.x32Numbers))
    }
    return tree(line, of: architecture)
  }

  // MARK: Numbers

  /// Stages 2 and 4; what stage 3 lets pass stands in the trees of instruction pointers below them.
  private mutating func overlayStages(_ architecture: AuditArchitecture, on line: inout NumberLine) {
    var nodes: [UInt32: DecisionGraph.NodeID] = [:]
    let trapped = options.trapNumbers(of: architecture, in: map)
    let patterns = architecture == AuditArchitecture(map.architecture) ? options.globalTrapPatterns : []
    let allowed = options.allowedNumbers(of: architecture, in: map)
    guard !trapped.isEmpty || !patterns.isEmpty || !allowed.isEmpty else { return }
    if !trapped.isEmpty || !patterns.isEmpty {
      var everywhere = [Piece(first: 0, last: .max, disposition: .trap(data: options.trapData))]
      if let gate = options.gate { everywhere = everywhere.opening(gate, map.architecture) }
      let placement = BoundaryPlacement(everywhere)
      let leaves = placement.dispositions.all.map { graph.answer($0.answer(to: SeccompData(nr: 0))) }
      let trap = AddressTree.build(placement, expecting: pointers, leaves: leaves, in: &graph)
      // Arguments before addresses: what no pattern matches has only been asked for them.
      for pattern in patterns.reversed() {
        nodes[pattern.number] = pattern.decide(trap, else: nodes[pattern.number] ?? line[pattern.number], in: &graph)
      }
      for number in trapped { nodes[number] = trap }
    }
    let allow = graph.answer(Action(.allow))
    for number in allowed { nodes[number] = allow }
    line = line.replacing(nodes)
  }

  private mutating func tree(_ line: NumberLine, of architecture: AuditArchitecture?) -> DecisionGraph.NodeID {
    // Weights are of the map's own architecture.
    let spread = architecture == AuditArchitecture(map.architecture) ? options.weights?.numberSpread : nil
    return IntervalTree.build(
      line.segments.map { IntervalTree.Segment(first: $0.first, node: $0.node) }, of: .number, expecting: spread,
      in: &graph)
  }

  // MARK: Instruction pointers and policies

  /// What decides the calls of an architecture by where they come from and what the policies there say.
  private mutating func linked(_ architecture: AuditArchitecture?) -> NumberLine {
    // By the numbers of dispositions.
    let lines = placement.dispositions.all.map { bodies.line(of: $0, architecture, in: &graph) }
    let starts = lines.flatMap(\.starts).ascending
    // For each run of numbers, the node where all code is decided alike.
    let alike = starts.map { start -> DecisionGraph.NodeID? in
      let node = lines[0][start]
      return lines.allSatisfy { $0[start] == node } ? node : nil
    }
    // The policies need not tell apart the numbers that do not get to them.
    let open = starts.indices.filter { alike[$0] == nil }.map { starts[$0] }
    guard let first = open.first else {
      return NumberLine(zip(starts, alike).compactMap { start, node in node.map { .init(first: start, node: $0) } })
    }
    let leaves = lines.map { line in
      var segments = [NumberLine.Segment(first: 0, node: line[first])]
      segments += open.dropFirst().map { NumberLine.Segment(first: $0, node: line[$0]) }
      return tree(NumberLine(segments), of: architecture)
    }
    let byAddress: DecisionGraph.NodeID
    if let known = addressTrees.first(where: { $0.leaves == leaves }) {
      byAddress = known.root
    } else {
      byAddress = AddressTree.build(placement, expecting: pointers, leaves: leaves, in: &graph)
      addressTrees.append(AddressLeaves(leaves: leaves, root: byAddress))
    }
    return NumberLine(zip(starts, alike).map { .init(first: $0, node: $1 ?? byAddress) })
  }
}

extension [UInt32] {
  /// The numbers that occur, each once, in ascending order.
  fileprivate var ascending: [UInt32] {
    var result: [UInt32] = []
    for number in sorted() where result.last != number { result.append(number) }
    return result
  }
}

extension [Piece] {
  /// The pieces with the instructions that lie in `gate` allowed.
  fileprivate func opening(_ gate: AddressRange, _ architecture: Architecture) -> [Piece] {
    overlaying(.allow, from: gate.start + architecture.instructionLength, through: gate.end)
  }
}

extension NumberLine {
  /// The line with other nodes for single numbers.
  fileprivate func replacing(_ nodes: [UInt32: DecisionGraph.NodeID]) -> NumberLine {
    guard !nodes.isEmpty else { return self }
    // Where the old segments go on after a number that is replaced.
    let starts = (starts + nodes.keys + nodes.keys.filter { $0 < .max }.map { $0 + 1 }).ascending
    return NumberLine(starts.map { Segment(first: $0, node: nodes[$0] ?? self[$0]) })
  }

  /// The segments of a range, the first of them starting with it.
  fileprivate func segments(in range: ClosedRange<UInt32>) -> [Segment] {
    [Segment(first: range.lowerBound, node: self[range.lowerBound])]
      + segments.filter { $0.first > range.lowerBound && $0.first <= range.upperBound }
  }
}
