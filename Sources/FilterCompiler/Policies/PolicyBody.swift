/// A policy that has been compiled, **and proved** to decide every call as its rules say: what a region of a
/// ``RegionMap`` takes. There is no other way to get one.
public struct PolicyBody: Sendable {
  /// What was compiled.
  public let policy: Policy
  /// The decisions, in their fewest steps.
  let graph: DecisionGraph
  /// For each table that has rules, its numbers in ascending segments, the first one starting with the lowest.
  let segments: [CallTable: [NumberLine.Segment]]
  /// For each table that has rules, what becomes of a number that none can have.
  let otherwise: [CallTable: DecisionGraph.NodeID]
  /// What decides the calls of all other tables.
  let otherTables: DecisionGraph.NodeID

  /// The body that `parts` are, which have all calls that the policy has rules for.
  ///
  /// A program sees the calls of its part as calls of `architecture`, with numbers below 2^30 (so those of x32 without
  /// their mark); what it answers to any other is of no account.
  ///
  /// - Throws: ``PolicyBodyError`` where a program decides a single call otherwise than the rules, or cannot be reasoned
  ///   about.
  package init(
    _ policy: Policy, parts: [PolicyPart], seenAs architecture: AuditArchitecture
  ) throws(PolicyBodyError) {
    var graph = DecisionGraph()
    var nodes: [CallTable: [UInt32: DecisionGraph.NodeID]] = [:]
    for name in CallTable.allCases {
      guard let rules = policy.tables[name] else { continue }
      for part in parts where part.table == name {
        let specification = PartSpecification(part: part, rules: rules, architecture: architecture)
        try specification.prove(for: policy)
        do {
          nodes[name, default: [:]].merge(try specification.decisions(in: &graph)) { first, _ in first }
        } catch {
          throw PolicyBodyError(name, nil, .unproved(error))
        }
      }
    }
    try self.init(policy, nodes, in: graph)
  }

  /// The body whose calls `nodes` decide, by their numbers.
  init(
    _ policy: Policy, _ nodes: [CallTable: [UInt32: DecisionGraph.NodeID]], in decisions: DecisionGraph
  ) throws(PolicyBodyError) {
    self.policy = policy
    var graph = decisions
    var segments: [CallTable: [NumberLine.Segment]] = [:]
    var otherwise: [CallTable: DecisionGraph.NodeID] = [:]
    for name in CallTable.allCases {
      guard let rules = policy.tables[name] else { continue }
      let rest = graph.answer(rules.otherwise)
      otherwise[name] = rest
      segments[name] = try Self.segments(of: name, rules, nodes[name] ?? [:], otherwise: rest)
    }
    otherTables = graph.answer(policy.otherTables)
    self.graph = graph
    self.segments = segments
    self.otherwise = otherwise
  }

  /// The segments of a table's numbers: single ones for those that have rules.
  private static func segments(
    of name: CallTable, _ rules: Policy.Table, _ nodes: [UInt32: DecisionGraph.NodeID],
    otherwise: DecisionGraph.NodeID
  ) throws(PolicyBodyError) -> [NumberLine.Segment] {
    var segments = [NumberLine.Segment(first: name.numbers.lowerBound, node: otherwise)]
    for (number, indices) in rules.rulesByNumber {
      guard let node = nodes[number] else {
        throw PolicyBodyError(name, Policy.RuleIndex(name, indices[0]), .missing)
      }
      if segments.last?.first == number { segments.removeLast() }
      segments.append(NumberLine.Segment(first: number, node: node))
      if number < name.numbers.upperBound {
        segments.append(NumberLine.Segment(first: number + 1, node: otherwise))
      }
    }
    return segments
  }
}

extension PolicyBody: Hashable {
  /// Bodies of one policy decide alike, however they were made.
  public static func == (a: PolicyBody, b: PolicyBody) -> Bool { a.policy == b.policy }
  /// Hashes little, because every region of a map is hashed.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(policy.name)
    hasher.combine(policy.tables.count)
  }
}

/// Why programs are not a policy's body.
public struct PolicyBodyError: Error, Hashable, Sendable {
  /// What went wrong.
  public enum Reason: Error, Hashable, Sendable {
    /// There is no program for the rule's call.
    case missing
    /// The program decides a call otherwise than the rules do: `left` is what it answers.
    case wrong(Counterexample)
    /// Nothing could be proved.
    case unproved(ProofError)
  }

  /// The table.
  public let table: CallTable
  /// The rule that is to decide the call that is decided wrongly; nil where none matches it.
  public let rule: Policy.RuleIndex?
  /// What went wrong.
  public let reason: Reason

  init(_ table: CallTable, _ rule: Policy.RuleIndex?, _ reason: Reason) {
    self.table = table
    self.rule = rule
    self.reason = reason
  }
}

extension PolicyBodyError: CustomStringConvertible {
  /// What is wrong, in one line; rules are counted from 1.
  public var description: String {
    switch reason {
    case .missing: return "there is no program for \(rule.map { "rule \($0.index + 1) for " } ?? "")\(table)"
    case .unproved(let error): return "the program for \(table) could not be proved: \(error)"
    case .wrong(let found):
      let arguments = found.call.arguments.map(hexadecimal).joined(separator: ", ")
      let place = rule.map { "rule \($0.index + 1) for \(table)" } ?? "what no rule for \(table) matches"
      return "\(place) was compiled wrongly: call \(found.call.number)(\(arguments)) gets '\(found.left)' instead of"
        + " '\(found.right)'"
    }
  }
}
