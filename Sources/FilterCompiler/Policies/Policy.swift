/// What becomes of calls by number and arguments: what a region may have in place of one answer for all its calls.
///
/// Rules stand in an order, and of those for a call **the first whose conditions all hold decides**; what no rule
/// matches gets the table's ``Table/otherwise``. So every list of rules has one meaning. A rule that can decide nothing,
/// because its conditions exclude each other or earlier rules leave it no call, is refused rather than ignored.
public struct Policy: Hashable, Sendable {
  /// The calls with one number, of which all conditions hold, and what becomes of them.
  public struct Rule: Hashable, Sendable {
    /// The number as the kernel reports it: with bit 30 for a call of x32.
    public let number: UInt32
    /// What is asked of the arguments, any number of things of each; none for all calls with the number.
    public let conditions: [ArgumentCondition]
    /// What becomes of the calls.
    public let answer: Action

    /// A rule for the calls `number` of which all `conditions` hold.
    public init(_ number: UInt32, where conditions: [ArgumentCondition] = [], _ answer: Action) {
      self.number = number
      self.conditions = conditions
      self.answer = answer
    }
  }

  /// The rules for the calls of one table.
  public struct Table: Hashable, Sendable {
    /// The rules, in the order in which they are tried.
    public let rules: [Rule]
    /// What becomes of all other calls of the table.
    public let otherwise: Action

    /// These rules, and what becomes of calls that none matches.
    public init(_ rules: [Rule], otherwise: Action) {
      self.rules = rules
      self.otherwise = otherwise
    }
  }

  /// A rule of a policy.
  public struct RuleIndex: Hashable, Sendable {
    /// The table that it stands in.
    public let table: CallTable
    /// Its place there, from 0.
    public let index: Int

    /// The rule at a place.
    public init(_ table: CallTable, _ index: Int) {
      self.table = table
      self.index = index
    }
  }

  /// What people call it.
  public let name: String
  /// The tables that the policy has rules for.
  public let tables: [CallTable: Table]
  /// What becomes of calls of all other tables. Without a table for it that is x32 too, which numbers its calls
  /// differently, so that what is refused by number is not let in by another one.
  public let otherTables: Action

  /// A policy.
  ///
  /// - Throws: ``PolicyError`` where a rule can decide no call.
  public init(
    name: String = "", tables: [CallTable: Table], otherTables: Action = Action(.killProcess)
  ) throws(PolicyError) {
    self.name = name
    self.tables = tables
    self.otherTables = otherTables
    for table in CallTable.allCases { try tables[table]?.check(as: table) }
  }

  /// The rule that decides a call; nil where none matches it.
  public func rule(deciding call: SeccompData) -> RuleIndex? {
    guard let table = CallTable(call.architecture, number: call.number), let rules = tables[table]?.rules,
      let index = rules.firstIndex(where: { $0.matches(call) })
    else { return nil }
    return RuleIndex(table, index)
  }

  /// What becomes of a call, read off the rules: what everything else here is measured against.
  public func answer(to call: SeccompData) -> Action {
    guard let name = CallTable(call.architecture, number: call.number), let table = tables[name] else {
      return otherTables
    }
    return table.rules.first { $0.matches(call) }?.answer ?? table.otherwise
  }

  subscript(rule: RuleIndex) -> Rule? {
    guard let rules = tables[rule.table]?.rules, rules.indices.contains(rule.index) else { return nil }
    return rules[rule.index]
  }

  /// The numbers of a table's calls that happen whatever their arguments are, as far as its rules name them.
  package func permittedNumbers(in table: CallTable) -> Set<UInt32> {
    guard let rules = tables[table]?.rules else { return [] }
    let first = Dictionary(rules.map { ($0.number, $0) }) { first, _ in first }
    return Set(first.values.filter { $0.conditions.isEmpty && $0.answer.kind == .allow }.map(\.number))
  }

  /// All its answers.
  package var answers: [Action] {
    tables.values.flatMap { table in table.rules.map(\.answer) + [table.otherwise] } + [otherTables]
  }

  /// The strictest of them.
  var strictest: Action { answers.min { $0.isStricter(than: $1) } ?? otherTables }
}

extension Policy.Rule {
  /// Whether the call has the number and all conditions hold.
  fileprivate func matches(_ call: SeccompData) -> Bool {
    CallPattern(number, where: conditions).matches(call)
  }
}

extension Policy: CustomStringConvertible {
  /// `policy NAME`, or `a policy`.
  public var description: String { name.isEmpty ? "a policy" : "policy \(name)" }
}
