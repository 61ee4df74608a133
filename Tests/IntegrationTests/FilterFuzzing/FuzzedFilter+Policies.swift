import FilterCompiler
import SyscallPolicy
import TestSupport

extension FuzzedFilter {
  /// A random policy for code of a machine, compiled; nil where its rules take more than a filter has.
  static func policy(
    _ name: String, _ architecture: Architecture, using generator: inout SeededGenerator
  ) -> Disposition? {
    let others = [CallTable.x32, .i386].filter { _ in architecture == .x86_64 && Bool.random(using: &generator) }
    let rules = Int.random(in: 1...6, using: &generator)
    let random = Policy.random(rules: rules, tables: [CallTable(architecture)] + others, using: &generator)
    return random.flatMap { compiled(name, $0.tables, $0.otherTables) }
  }

  private static func compiled(
    _ name: String, _ tables: [CallTable: Policy.Table], _ otherTables: Action
  ) -> Disposition? {
    guard let policy = try? Policy(name: name, tables: tables, otherTables: otherTables) else { return nil }
    return (try? PolicyBody(compiling: policy)).map(Disposition.policy)
  }

  /// The policies of regions and of all other code, each once.
  var policies: [Policy] {
    var policies: [Policy] = []
    for case .policy(let body) in code.map(\.disposition) + [outside] where !policies.contains(body.policy) {
      policies.append(body.policy)
    }
    return policies
  }

  /// What a disposition does to a call; for a policy said anew, rule by rule.
  static func answer(of disposition: Disposition, to call: SeccompData) -> Action {
    guard case .policy(let body) = disposition else { return disposition.action ?? Action(.killProcess) }
    let policy = body.policy
    var table: CallTable?
    switch call.architecture {
    case .x86_64: table = call.number >> 30 == 1 ? .x32 : .x86_64
    case .i386: table = .i386
    case .aarch64: table = .aarch64
    case .riscv64: table = .riscv64
    default: break
    }
    guard let table, let rules = policy.tables[table] else { return policy.otherTables }
    for rule in rules.rules where rule.number == call.number {
      if rule.conditions.allSatisfy({ holds($0.test, call.arguments[$0.argument]) }) { return rule.answer }
    }
    return rules.otherwise
  }

  private static func holds(_ test: ArgumentCondition.Test, _ value: UInt64) -> Bool {
    switch test {
    case .equal(let constant): value == constant
    case .notEqual(let constant): value != constant
    case .less(let bound): value < bound
    case .lessOrEqual(let bound): !(value > bound)
    case .greater(let bound): value > bound
    case .greaterOrEqual(let bound): !(value < bound)
    case .masked(let mask, let wanted): (value ^ wanted) & mask == 0
    case .within(let lowest, let highest): (lowest...highest).contains(value)
    }
  }

  /// The filter with a rule less, for each rule of each policy.
  var withFewerRules: [FuzzedFilter] {
    policies.flatMap { policy in
      policy.tables.flatMap { name, table in
        table.rules.indices.compactMap { index -> FuzzedFilter? in
          var rules = table.rules
          rules.remove(at: index)
          var tables = policy.tables
          tables[name] = Policy.Table(rules, otherwise: table.otherwise)
          guard let less = Self.compiled(policy.name, tables, policy.otherTables) else { return nil }
          func replaced(_ disposition: Disposition) -> Disposition {
            if case .policy(let body) = disposition, body.policy == policy { less } else { disposition }
          }
          var filter = self
          filter.outside = replaced(outside)
          filter.code = code.map { ($0.place, replaced($0.disposition)) }
          return filter
        }
      }
    }
  }
}
