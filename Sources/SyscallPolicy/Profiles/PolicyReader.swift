internal import FilterCompiler

/// Reads one policy of a profile.
struct PolicyReader {
  let machine: Architecture

  private static let keys = ["default", "calls", "architectures", "other-architectures"]
  private static let tableKeys = ["default", "calls"]
  private static let ruleKeys = ["call", "when", "then"]
  /// More than a filter could hold.
  private static let mostRules = 4096

  /// The rules of a table, with where their calls stand.
  private struct Rules {
    var rules: [Policy.Rule] = []
    var places: [ProfileNode] = []
    var otherwise: Action
  }

  func declaration(_ node: ProfileNode, name: String) throws(ProfileError) -> ProfilePolicies.Declaration {
    let values = try node.mapping("a policy", keys: Self.keys)
    guard let fallback = values["default"] else {
      throw node.error("the policy has no 'default'", remedy: "say what becomes of calls that no rule matches")
    }
    let otherwise = try fallback.action()
    let otherTables = try values["other-architectures"].map { node throws(ProfileError) in try node.action() }
    let own = CallTable(machine)
    var tables: [CallTable: Rules] = [:]
    if let architectures = values["architectures"], !architectures.isMapping {
      var names: [CallTable] = []
      for node in try architectures.oneOrMore("architectures") {
        let table = try node.table()
        guard !names.contains(table) else { throw node.error("\(table) is listed already") }
        names.append(table)
      }
      for table in names { tables[table] = Rules(otherwise: otherwise) }
      try read(values["calls"], of: names, into: &tables)
    } else {
      tables[own] = Rules(otherwise: otherwise)
      try read(values["calls"], of: [own], into: &tables)
      for (key, node) in try values["architectures"]?.pairs("architectures, each with its calls") ?? [] {
        let table = try key.table()
        guard table != own else { throw key.error("the calls of \(own) are those of the policy itself") }
        let values = try node.mapping("what becomes of the calls of \(table)", keys: Self.tableKeys)
        tables[table] = Rules(
          otherwise: try values["default"].map { node throws(ProfileError) in try node.action() } ?? otherwise)
        try read(values["calls"], of: [table], into: &tables)
      }
    }
    return try declaration(node, name, tables, otherTables ?? Action(.killProcess))
  }

  private func declaration(
    _ node: ProfileNode, _ name: String, _ tables: [CallTable: Rules], _ otherTables: Action
  ) throws(ProfileError) -> ProfilePolicies.Declaration {
    var places: [Policy.RuleIndex: ProfileNode] = [:]
    for (table, rules) in tables {
      for (index, place) in rules.places.enumerated() { places[Policy.RuleIndex(table, index)] = place }
    }
    do throws(PolicyError) {
      let all = tables.mapValues { Policy.Table($0.rules, otherwise: $0.otherwise) }
      _ = try Policy(name: name, tables: all, otherTables: otherTables)
      // Code of this machine cannot make the calls of others, so they need no room in a filter.
      let possible = all.filter { CallTable.possible(on: machine).contains($0.key) }
      let policy = try Policy(name: name, tables: possible, otherTables: otherTables)
      return ProfilePolicies.Declaration(policy: policy, node: node, places: places)
    } catch {
      let rules = tables[error.rule.table]?.places ?? []
      let place = rules.indices.contains(error.rule.index) ? rules[error.rule.index] : node
      throw place.error(Self.problem(error, rules), remedy: Self.remedy(error.reason))
    }
  }

  private static func problem(_ error: PolicyError, _ places: [ProfileNode]) -> String {
    func line(_ index: Int) -> String { places.indices.contains(index) ? " \(places[index].place.line)" : "" }
    return switch error.reason {
    case .repeats(let index): "this is what line\(line(index)) says already"
    case .contradicts(let index): "this contradicts line\(line(index)), which matches the same calls"
    case .unreachable: "this decides no call: the rules before it match all that it does"
    case .neverMatches: "no call can match this: the conditions exclude each other"
    case .numberOutsideTable(let number): "\(error.rule.table) has no system call number \(number)"
    case .tooManyTests, .tooEntangled: "\(error.reason)"
    }
  }

  private static func remedy(_ reason: PolicyError.Reason) -> String {
    switch reason {
    case .repeats, .contradicts: "say it once"
    case .unreachable: "the first rule that matches decides: put it before them, or leave it out"
    case .neverMatches: "all conditions must hold; list the call twice where one of them is enough"
    case .numberOutsideTable: "numbers have 30 bits; 'architectures' has x32 by its name"
    case .tooManyTests, .tooEntangled: "say it with fewer or simpler conditions"
    }
  }

  // MARK: Rules

  private func read(
    _ calls: ProfileNode?, of names: [CallTable], into tables: inout [CallTable: Rules]
  ) throws(ProfileError) {
    for node in try calls?.list("a list of rules") ?? [] {
      let values = try node.mapping("a rule", keys: Self.ruleKeys)
      guard let call = values["call"] else {
        throw node.error("the rule has no 'call'", remedy: "say which system calls it is for")
      }
      guard let answer = values["then"] else {
        throw node.error("the rule has no 'then'", remedy: "say what becomes of the calls: allow, errno EPERM, …")
      }
      let action = try answer.action()
      let conditions = try self.conditions(values["when"])
      for node in try call.oneOrMore("system calls") {
        for (table, number) in try node.calls(in: names) {
          tables[table]?.rules.append(Policy.Rule(number, where: conditions, action))
          tables[table]?.places.append(node)
        }
      }
      guard tables.values.allSatisfy({ $0.rules.count <= Self.mostRules }) else {
        throw node.error("a policy has at most \(Self.mostRules) rules for an architecture")
      }
    }
  }

  private func conditions(_ list: ProfileNode?) throws(ProfileError) -> [ArgumentCondition] {
    var conditions: [ArgumentCondition] = []
    for node in try list?.oneOrMore("conditions") ?? [] {
      let text = try node.scalar("a condition")
      do throws(ConditionText.Problem) {
        conditions.append(try ConditionText.condition(text))
      } catch {
        throw node.error(error.text, remedy: error.remedy, after: error.offset)
      }
    }
    return conditions
  }
}

extension CallTable {
  /// The tables whose calls code of a machine can make.
  static func possible(on machine: Architecture) -> [CallTable] {
    machine == .x86_64 ? [.x86_64, .x32, .i386] : [CallTable(machine)]
  }
}

extension ProfileNode {
  /// The name of a table of calls.
  fileprivate func table() throws(ProfileError) -> CallTable {
    try choice("an architecture", CallTable.allCases.map { ($0.rawValue, $0) })
  }

  /// A disposition that is not a policy.
  fileprivate func action() throws(ProfileError) -> Action {
    guard !isMapping, try !scalar("a disposition").hasPrefix("policy") else {
      throw error("a policy cannot be part of another one", remedy: "say allow, trap, errno NAME, kill, log, …")
    }
    let disposition = try disposition()
    return disposition.answer(to: SeccompData(nr: 0))
  }

  /// The numbers that a name has in some tables, at least one; or a number, where there is one table.
  fileprivate func calls(in tables: [CallTable]) throws(ProfileError) -> [(table: CallTable, number: UInt32)] {
    if tables.count == 1 { return [(tables[0], try call(in: tables[0]))] }
    let text = try scalar("a system call")
    guard text.first?.isNumber != true else {
      throw error("a number is another call for each architecture", remedy: "give its name")
    }
    let found = tables.compactMap { table in table.number(of: text).map { (table, $0) } }
    guard found.isEmpty else { return found }
    throw unknownCall(text, tables)
  }
}
