/// What decides calls of each disposition, in one graph: an answer, or the body of a policy, taken in once.
struct LinkedBodies {
  /// For each policy, what the nodes of its body are called in the graph.
  private var names: [PolicyBody: [DecisionGraph.NodeID]] = [:]

  /// The calls of an architecture that get a disposition, by their numbers; nil is an architecture that no policy names.
  mutating func line(
    of disposition: Disposition, _ architecture: AuditArchitecture?, in graph: inout DecisionGraph
  ) -> NumberLine {
    guard case .policy(let body) = disposition else {
      return NumberLine(graph.answer(disposition.answer(to: SeccompData(nr: 0))))
    }
    let names = names[body] ?? graph.insert(body.graph)
    self.names[body] = names
    return body.line(of: architecture, named: names)
  }
}

extension PolicyBody {
  /// The architectures that it has rules for.
  var architectures: [AuditArchitecture] { policy.tables.keys.map(\.architecture) }

  /// What decides the calls of an architecture, where `names` are the nodes' names.
  fileprivate func line(of architecture: AuditArchitecture?, named names: [DecisionGraph.NodeID]) -> NumberLine {
    func segments(_ table: CallTable) -> [NumberLine.Segment] {
      self.segments[table]?.map { NumberLine.Segment(first: $0.first, node: names[$0.node.index]) }
        ?? [NumberLine.Segment(first: table.numbers.lowerBound, node: names[otherTables.index])]
    }
    guard let architecture, let table = CallTable(architecture, number: 0) else {
      return NumberLine(names[otherTables.index])
    }
    // Numbers that no call has get what the table has for calls without a rule.
    var line = NumberLine(names[(otherwise[table] ?? otherTables).index])
    line = line.replacing(table.numbers, with: segments(table))
    if architecture == .x86_64 { line = line.replacing(CallTable.x32Numbers, with: segments(.x32)) }
    return line
  }
}
