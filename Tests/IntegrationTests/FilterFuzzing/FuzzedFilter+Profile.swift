import FilterCompiler

extension FuzzedFilter {
  /// The filter as a profile, so that what was found can be repeated on the command line.
  var profile: String {
    var lines = [
      "architecture: \(architecture)", "default: \(Self.words(outside))",
    ]
    if !policies.isEmpty { lines.append("policies:") }
    for policy in policies { lines += words(policy) }
    if !code.isEmpty { lines.append("regions:") }
    for (place, disposition) in code {
      lines.append("  - {code: \(Self.range(place.start, place.end)), disposition: \(Self.words(disposition))}")
    }
    func list(_ key: String, _ values: [String]) {
      if !values.isEmpty { lines.append("\(key): [\(values.joined(separator: ", "))]") }
    }
    list("dont-care", empty.map { Self.range($0.start, $0.end) })
    if let checked = options.checkedArchitectures {
      list("checked-architectures", checked.map(\.description))
      lines.append("other-architectures: \(Self.words(options.otherArchitecture))")
    }
    if let x32 = options.x32 { lines.append("x32-calls: \(Self.words(x32))") }
    func calls(_ own: [UInt32], _ foreign: [AuditArchitecture: [UInt32]]) -> [String] {
      own.map(\.description) + foreign.flatMap { name, numbers in numbers.map { "\(name):\($0)" } }
    }
    list("allowed-calls", calls(options.allowedNumbers, options.foreignAllowedNumbers))
    let trapped = calls(options.globalTrapNumbers, options.foreignTrapNumbers)
    list("trapped-calls", trapped)
    if !trapped.isEmpty { lines.append("trapped-calls-data: \(options.trapData)") }
    if let gate = options.gate { lines.append("gate: \(gate)") }
    return lines.joined(separator: "\n") + "\n"
  }

  private func words(_ policy: Policy) -> [String] {
    func rules(_ table: Policy.Table, _ indent: String) -> [String] {
      var lines = ["\(indent)default: \(Self.words(table.otherwise))"]
      if !table.rules.isEmpty { lines.append("\(indent)calls:") }
      for rule in table.rules {
        let conditions =
          rule.conditions.isEmpty ? "" : "when: [\(rule.conditions.map { "\($0)" }.joined(separator: ", "))], "
        lines.append("\(indent)  - {call: \(rule.number), \(conditions)then: \(Self.words(rule.answer))}")
      }
      return lines
    }
    let own = CallTable(architecture)
    var lines = ["  \(policy.name):"]
    if let table = policy.tables[own] { lines += rules(table, "    ") }
    let others = policy.tables.filter { $0.key != own }
    if !others.isEmpty { lines.append("    architectures:") }
    for (name, table) in others.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      lines.append("      \(name):")
      lines += rules(table, "        ")
    }
    return lines + ["    other-architectures: \(Self.words(policy.otherTables))"]
  }

  private static func words(_ action: Action) -> String {
    switch action.kind {
    case .killProcess: "kill"
    case .killThread: "kill-thread"
    default: action.description
    }
  }

  private static func range(_ start: UInt64, _ end: UInt64) -> String {
    "\(hexadecimal(start))-\(hexadecimal(end))"
  }

  private static func words(_ disposition: Disposition) -> String {
    switch disposition {
    case .policy(let body): "policy \(body.policy.name)"
    case .killProcess: "kill"
    case .killThread: "kill-thread"
    case .trace(let data): "trace \(data)"
    default: disposition.description
    }
  }
}
