extension JSONFormat {
  /// What is decided besides the instruction pointer; nothing where that is nothing.
  static func stages(_ options: CompileOptions, _ map: RegionMap) -> [(String, JSONText)] {
    var members: [(String, JSONText)] = []
    if let checked = options.checkedArchitectures {
      members.append(("checked_architectures", .array(checked.map { .string($0.description) })))
      members.append(("other_architectures", .string(options.otherArchitecture.description)))
    }
    if let x32 = options.x32 { members.append(("x32_calls", .string(x32.description))) }
    let own = AuditArchitecture(map.architecture)
    let allowed = numbers(options.allowedNumbers, own, options.foreignAllowedNumbers)
    if let allowed { members.append(("allowed_calls", allowed)) }
    if let gate = options.gate {
      members.append(
        ("gate", .object([("start", .string(hexadecimal(gate.start))), ("end", .string(hexadecimal(gate.end)))])))
    }
    if let trapped = numbers(options.globalTrapNumbers, own, options.foreignTrapNumbers) {
      members.append(("trapped_calls", trapped))
      members.append(("trapped_calls_data", .number(options.trapData)))
    }
    return members.isEmpty ? [] : [("stages", .object(members))]
  }

  /// Numbers by architecture.
  private static func numbers(
    _ native: [UInt32], _ own: AuditArchitecture, _ foreign: [AuditArchitecture: [UInt32]]
  ) -> JSONText? {
    let lists = foreign.merging([own: native]) { $1 + $0 }.filter { !$0.value.isEmpty }
    guard !lists.isEmpty else { return nil }
    return .object(
      lists.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { ($0.key.description, .array($0.value.map { .number($0) })) })
  }

  /// The policies that regions and stages have, each once, in the order of the regions.
  static func policies(
    _ map: RegionMap, _ options: CompileOptions, _ name: Disassembler.Naming
  ) -> [(String, JSONText)] {
    let used = [map.defaultDisposition] + map.regions.map(\.disposition) + [options.otherArchitecture]
    var policies: [Policy] = []
    for case .policy(let body) in used + [options.x32].compactMap(\.self) where !policies.contains(body.policy) {
      policies.append(body.policy)
    }
    guard !policies.isEmpty else { return [] }
    return [("policies", .rows(policies.map { policy($0, name) }))]
  }

  private static func policy(_ policy: Policy, _ name: Disassembler.Naming) -> JSONText {
    let tables = CallTable.allCases.compactMap { table in
      policy.tables[table].map { rules in
        (
          table.rawValue,
          JSONText.object([
            ("default", .string(rules.otherwise.description)),
            ("rules", .array(rules.rules.map { rule($0, name($0.number, table.architecture)) })),
          ])
        )
      }
    }
    return .object([
      ("name", .string(policy.name)), ("tables", .object(tables)),
      ("other_architectures", .string(policy.otherTables.description)),
    ])
  }

  private static func rule(_ rule: Policy.Rule, _ name: String?) -> JSONText {
    var members: [(String, JSONText)] = [("number", .number(rule.number))]
    if let name { members.append(("call", .string(name))) }
    if !rule.conditions.isEmpty { members.append(("when", .array(rule.conditions.map { .string($0.description) }))) }
    return .object(members + [("then", .string(rule.answer.description))])
  }
}
