internal import CLibSeccomp
public import FilterCompiler

extension PolicyBody {
  /// Has libseccomp compile a policy, and proves what it made.
  ///
  /// libseccomp compiles some legal rules wrongly and never comes back from others, so it is given equalities of masked
  /// bits only; it runs in a child process, which is ended after 1.5 seconds on a processor; and what it made is believed
  /// only when it is proved to decide every call as the policy's rules say. The machine need not be the one that the
  /// policy is for.
  ///
  /// - Throws: ``PolicyCompileError``.
  public init(compiling policy: Policy) throws(PolicyCompileError) {
    try self.init(policy) { name, _ throws(PolicyCompileError) in
      do throws(PolicyError) {
        return try policy.lowered(name).map { SeccompBuild(name: name, $0) }
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
      let rules = (rules[name] ?? table.rules).enumerated().map { index, rule in
        SeccompBuild.Rule(
          number: rule.number, comparisons: rule.conditions.flatMap(SeccompBuild.Comparison.each(of:)),
          answer: rule.answer, source: Policy.RuleIndex(name, index))
      }
      return [
        SeccompBuild(name: name, numbers: table.rules.map(\.number), rules: rules, otherwise: table.otherwise)
      ]
    }
  }

  private init(
    _ policy: Policy,
    _ builds: (CallTable, Policy.Table) throws(PolicyCompileError) -> [SeccompBuild]
  ) throws(PolicyCompileError) {
    var parts: [PolicyPart] = []
    for name in CallTable.allCases {
      guard let table = policy.tables[name] else { continue }
      for build in try builds(name, table) { parts.append(PolicyPart(name, build.numbers, try build.program())) }
    }
    do {
      try self.init(policy, parts: parts, seenAs: SeccompBuild.architecture)
    } catch {
      throw PolicyCompileError(table: error.table, rule: error.rule, reason: .body(error))
    }
  }
}

extension SeccompBuild {
  /// The build of lowered rules.
  fileprivate init(name: CallTable, _ calls: LoweredCalls) {
    let rules = calls.cubes.map { cube in
      Rule(
        number: cube.number,
        comparisons: cube.bits.map {
          Comparison(argument: $0.argument, comparison: SCMP_CMP_MASKED_EQ, first: $0.mask, second: $0.value)
        }, answer: cube.answer, source: cube.rule)
    }
    self.init(name: name, numbers: calls.numbers, rules: rules, otherwise: calls.otherwise)
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
