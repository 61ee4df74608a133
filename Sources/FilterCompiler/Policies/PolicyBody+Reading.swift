extension PolicyBody {
  /// The body that the rules themselves are, without another compiler: the fewest decisions that their meaning takes, as it
  /// is reasoned about where bodies are proved.
  ///
  /// - Throws: ``PolicyBodyError`` where the rules for a call are too entangled to be reasoned about.
  package init(readOff policy: Policy) throws(PolicyBodyError) {
    var graph = DecisionGraph()
    var nodes: [CallTable: [UInt32: DecisionGraph.NodeID]] = [:]
    for name in CallTable.allCases {
      guard let rules = policy.tables[name] else { continue }
      // Architecture and number are decided by where the rules stand, so arguments are all that is asked for.
      var diagram = DecisionDiagram(order: WordOrder([]))
      var functions: [(UInt32, DecisionDiagram.Function)] = []
      for (number, indices) in rules.rulesByNumber {
        do throws(ProofError.Reason) {
          functions.append((number, try rules.answer(of: indices, in: &diagram)))
        } catch {
          let failure = ProofError(filter: nil, instruction: nil, reason: error)
          throw PolicyBodyError(name, Policy.RuleIndex(name, indices[0]), .unproved(failure))
        }
      }
      var reader = DecisionReader(diagram)
      for (number, function) in functions { nodes[name, default: [:]][number] = reader.node(function, in: &graph) }
    }
    try self.init(policy, nodes, in: graph)
  }
}
