package import FilterCompiler

extension Policy {
  /// The numbers that random policies have rules for.
  package static let randomNumbers: [UInt32] = [0, 1, 39, 40, 202]

  /// A random policy of up to `rules` rules a table (those that can decide nothing are left out).
  package static func random(rules count: Int, tables: [CallTable], using generator: inout SeededGenerator) -> Policy? {
    let answers = [Action(.allow), Action(.errno, data: 1), Action(.trap, data: 7), Action(.killProcess)]
    func answer() -> Action { answers.randomElement(using: &generator) ?? answers[0] }
    var accepted: [CallTable: Table] = [:]
    for name in tables {
      var rules: [Rule] = []
      let otherwise = answer()
      for _ in 0..<count {
        let number = (randomNumbers.randomElement(using: &generator) ?? 0) | name.numbers.lowerBound
        let conditions = (0..<Int.random(in: 0...3, using: &generator)).compactMap { _ in
          ArgumentCondition.random(using: &generator)
        }
        let rule = Rule(number, where: conditions, answer())
        let longer = Table(rules + [rule], otherwise: otherwise)
        if (try? Policy(tables: [name: longer])) != nil { rules.append(rule) }
      }
      accepted[name] = Table(rules, otherwise: otherwise)
    }
    return try? Policy(name: "random", tables: accepted, otherTables: answer())
  }

  /// Calls that tell rules apart: constants of its conditions and their neighbours as arguments.
  package func calls(_ count: Int, using generator: inout SeededGenerator) -> [SeccompData] {
    let constants = tables.values.flatMap(\.rules).flatMap(\.conditions).flatMap(\.constants)
    let values = constants.flatMap { [$0, $0 &+ 1, $0 &- 1, $0 ^ 1 << 32, $0 ^ 1 << 31, ~$0] } + [0, .max]
    let numbers = Self.randomNumbers + [2, 0x3fff_ffff, 0x4000_0000, 0x8000_0000, .max]
    return (0..<count).map { _ in
      let table = CallTable.allCases.randomElement(using: &generator) ?? .x86_64
      let architecture = Int.random(in: 0..<20, using: &generator) == 0 ? .init(rawValue: 7) : table.architecture
      return SeccompData(
        nr: (numbers.randomElement(using: &generator) ?? 0) | (table == .x32 ? 0x4000_0000 : 0), arch: architecture,
        instructionPointer: UInt64.random(in: 0..<0x8000, using: &generator),
        args: (0..<6).map { _ in values.randomElement(using: &generator) ?? 0 })
    }
  }
}

extension ArgumentCondition {
  /// A random condition on one of the first two arguments; nil where it would say nothing.
  static func random(using generator: inout SeededGenerator) -> ArgumentCondition? {
    let constants: [UInt64] = [
      0, 1, 2, 3, 8, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0003, 1 << 63, .max - 1, .max,
    ]
    func constant() -> UInt64 { constants.randomElement(using: &generator) ?? 0 }
    let (first, second) = (constant(), constant())
    let test: Test =
      switch Int.random(in: 0..<8, using: &generator) {
      case 0: .equal(first)
      case 1: .notEqual(first)
      case 2: .less(first)
      case 3: .lessOrEqual(first)
      case 4: .greater(first)
      case 5: .greaterOrEqual(first)
      case 6: .masked(first, equal: first & second)
      default: .within(min(first, second), max(first, second))
      }
    return try? ArgumentCondition(argument: Int.random(in: 0...1, using: &generator), test)
  }

  /// The constants that it compares with.
  package var constants: [UInt64] {
    switch test {
    case .equal(let constant), .notEqual(let constant), .less(let constant), .lessOrEqual(let constant),
      .greater(let constant), .greaterOrEqual(let constant):
      [constant]
    case .masked(let first, let second), .within(let first, let second): [first, second]
    }
  }
}
