internal import CLibSeccomp
public import FilterCompiler

extension PolicyBody {
  /// Has libseccomp compile a policy, and proves what it made.
  ///
  /// libseccomp compiles some legal rules wrongly and never comes back from others, so it is given equalities of masked
  /// bits only (``Policy/cubes(of:)``), no two of which match the same call; it runs in a child process, which is ended
  /// after 1.5 seconds; and what it made is believed only when it is proved to decide every call as the policy's rules
  /// say. The machine need not be the one that the policy is for.
  ///
  /// - Throws: ``PolicyCompileError``.
  public init(compiling policy: Policy) throws(PolicyCompileError) {
    try self.init(policy) { name, table throws(PolicyCompileError) in
      do throws(PolicyError) {
        return try policy.cubes(of: name).map { cube in
          SeccompBuild.Rule(
            number: cube.number,
            comparisons: cube.bits.map {
              SeccompBuild.Comparison(
                argument: $0.argument, comparison: SCMP_CMP_MASKED_EQ, first: $0.mask, second: $0.value)
            }, answer: cube.answer, source: cube.rule)
        }
      } catch {
        throw PolicyCompileError(table: name, rule: error.rule, reason: .rule(error.reason))
      }
    }
  }

  /// Has libseccomp compile a policy's rules as they stand, one by one: what it does with them when nobody looks after
  /// it. `rules` can be others that mean the same, even ones that are no policy.
  package init(
    handingOver policy: Policy, as rules: [CallTable: [Policy.Rule]] = [:]
  ) throws(PolicyCompileError) {
    try self.init(policy) { name, table in
      (rules[name] ?? table.rules).enumerated().map { index, rule in
        SeccompBuild.Rule(
          number: rule.number, comparisons: rule.conditions.flatMap(SeccompBuild.Comparison.each(of:)),
          answer: rule.answer, source: Policy.RuleIndex(name, index))
      }
    }
  }

  private init(
    _ policy: Policy,
    _ rules: (CallTable, Policy.Table) throws(PolicyCompileError) -> [SeccompBuild.Rule]
  ) throws(PolicyCompileError) {
    var programs: [CallTable: Program] = [:]
    for name in CallTable.allCases {
      guard let table = policy.tables[name] else { continue }
      let build = SeccompBuild(name: name, rules: try rules(name, table), otherwise: table.otherwise)
      programs[name] = try build.program()
    }
    do {
      try self.init(policy, programs: programs, seenAs: SeccompBuild.architecture)
    } catch {
      throw PolicyCompileError(table: error.table, rule: error.rule, reason: .body(error))
    }
  }
}

extension SeccompBuild.Comparison {
  /// The comparisons that a condition is to libseccomp.
  fileprivate static func each(of condition: ArgumentCondition) -> [Self] {
    func one(_ comparison: scmp_compare, _ first: UInt64, _ second: UInt64 = 0) -> Self {
      Self(argument: condition.argument, comparison: comparison, first: first, second: second)
    }
    return switch condition.test {
    case .equal(let constant): [one(SCMP_CMP_EQ, constant)]
    case .notEqual(let constant): [one(SCMP_CMP_NE, constant)]
    case .less(let constant): [one(SCMP_CMP_LT, constant)]
    case .lessOrEqual(let constant): [one(SCMP_CMP_LE, constant)]
    case .greater(let constant): [one(SCMP_CMP_GT, constant)]
    case .greaterOrEqual(let constant): [one(SCMP_CMP_GE, constant)]
    case .masked(let mask, let value): [one(SCMP_CMP_MASKED_EQ, mask, value)]
    case .within(let lowest, let highest): [one(SCMP_CMP_GE, lowest), one(SCMP_CMP_LE, highest)]
    }
  }
}
