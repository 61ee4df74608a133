import FilterCompiler

/// A policy's table as a program that is as plain as can be: one rule after the other, one condition after the other.
/// It stands in for another compiler.
struct PlainPolicyProgram {
  /// The instructions from the last to the first; a place is an index of it.
  private var reversed: [FilterCompiler.Operation] = []

  /// The parts of a policy, one for each table, whose calls the programs see as calls of x86-64.
  static func parts(of policy: Policy) throws -> [PolicyPart] {
    try policy.tables.map { name, table in
      PolicyPart(name, table.rules.map(\.number), try program(table, of: name))
    }
  }

  /// The body of a policy.
  static func body(of policy: Policy) throws -> PolicyBody {
    try PolicyBody(policy, parts: parts(of: policy), seenAs: .x86_64)
  }

  /// The program of one table; calls of x32 have lost their mark.
  static func program(_ table: Policy.Table, of name: CallTable) throws -> Program {
    var program = PlainPolicyProgram()
    for rule in table.rules.reversed() {
      // What follows is the next rule; the first one, which is placed last, decides.
      program.place(rule, mark: name.numbers.lowerBound, otherwise: table.otherwise)
    }
    if program.reversed.isEmpty { program.append(.answer(table.otherwise)) }
    return try Program(program.reversed.reversed().map(\.instruction))
  }

  private mutating func place(_ rule: Policy.Rule, mark: UInt32, otherwise: Action) {
    if reversed.isEmpty { append(.answer(otherwise)) }
    let next = reversed.count - 1
    append(.answer(rule.answer))
    for condition in rule.conditions.reversed() { place(condition, next) }
    branch(.equal, rule.number & ~mark, to: reversed.count - 1, else: next)
    append(.loadData(.number))
  }

  /// Goes on with what was placed last where the condition holds.
  private mutating func place(_ condition: ArgumentCondition, _ next: Int) {
    let (yes, high) = (reversed.count - 1, DataWord.argumentHigh(condition.argument))
    let low = DataWord.argumentLow(condition.argument)
    switch condition.test {
    case .equal(let constant): masked(.max, constant, low, high, yes, next)
    case .notEqual(let constant): masked(.max, constant, low, high, next, yes)
    case .masked(let mask, let value): masked(mask, value, low, high, yes, next)
    case .less(let bound): ordered(.greaterOrEqual, bound, low, high, next, yes)
    case .greaterOrEqual(let bound): ordered(.greaterOrEqual, bound, low, high, yes, next)
    case .lessOrEqual(let bound): ordered(.greater, bound, low, high, next, yes)
    case .greater(let bound): ordered(.greater, bound, low, high, yes, next)
    case .within(let lowest, let highest):
      ordered(.greater, highest, low, high, next, yes)
      ordered(.greaterOrEqual, lowest, low, high, reversed.count - 1, next)
    }
  }

  private mutating func ordered(
    _ comparison: FilterCompiler.Operation.Comparison, _ bound: UInt64, _ low: DataWord, _ high: DataWord, _ yes: Int,
    _ no: Int
  ) {
    branch(comparison, UInt32(truncatingIfNeeded: bound), to: yes, else: no)
    append(.loadData(low))
    branch(.equal, UInt32(bound >> 32), to: reversed.count - 1, else: no)
    branch(.greater, UInt32(bound >> 32), to: yes, else: reversed.count - 1)
    append(.loadData(high))
  }

  private mutating func masked(
    _ mask: UInt64, _ value: UInt64, _ low: DataWord, _ high: DataWord, _ yes: Int, _ no: Int
  ) {
    branch(.equal, UInt32(truncatingIfNeeded: value), to: yes, else: no)
    append(.compute(.and, .constant(UInt32(truncatingIfNeeded: mask))))
    append(.loadData(low))
    branch(.equal, UInt32(value >> 32), to: reversed.count - 1, else: no)
    append(.compute(.and, .constant(UInt32(mask >> 32))))
    append(.loadData(high))
  }

  private mutating func branch(
    _ comparison: FilterCompiler.Operation.Comparison, _ constant: UInt32, to yes: Int, else no: Int
  ) {
    let here = reversed.count
    append(.branch(comparison, .constant(constant), jt: UInt8(here - yes - 1), jf: UInt8(here - no - 1)))
  }

  private mutating func append(_ operation: FilterCompiler.Operation) { reversed.append(operation) }
}
