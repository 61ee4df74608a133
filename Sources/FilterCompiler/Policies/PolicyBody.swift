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

  /// The body that `programs` are, one for each table of the policy.
  ///
  /// A program sees the calls of its table as calls of `architecture`, with numbers below 2^30 (so those of x32 without
  /// their mark); what it answers to any other is of no account.
  ///
  /// - Throws: ``PolicyBodyError`` where a program decides a single call otherwise than the rules, or cannot be reasoned
  ///   about.
  package init(
    _ policy: Policy, programs: [CallTable: Program], seenAs architecture: AuditArchitecture
  ) throws(PolicyBodyError) {
    self.policy = policy
    var graph = DecisionGraph()
    var segments: [CallTable: [NumberLine.Segment]] = [:]
    var otherwise: [CallTable: DecisionGraph.NodeID] = [:]
    for name in CallTable.allCases {
      guard let table = policy.tables[name] else { continue }
      guard let program = programs[name] else { throw PolicyBodyError(name, nil, .missing) }
      let view = TableView(name: name, table: table, architecture: architecture)
      try view.prove(program, for: policy)
      do {
        segments[name] = try view.decisions(of: program, in: &graph)
      } catch {
        throw PolicyBodyError(name, nil, .unproved(error))
      }
      otherwise[name] = graph.answer(table.otherwise)
    }
    otherTables = graph.answer(policy.otherTables)
    self.graph = graph
    self.segments = segments
    self.otherwise = otherwise
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
    /// There is no program for the table.
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
    case .missing: return "there is no program for \(table)"
    case .unproved(let error): return "the program for \(table) could not be proved: \(error)"
    case .wrong(let found):
      let arguments = found.call.arguments.map(hexadecimal).joined(separator: ", ")
      let place = rule.map { "rule \($0.index + 1) for \(table)" } ?? "what no rule for \(table) matches"
      return "\(place) was compiled wrongly: call \(found.call.number)(\(arguments)) gets '\(found.left)' instead of"
        + " '\(found.right)'"
    }
  }
}
