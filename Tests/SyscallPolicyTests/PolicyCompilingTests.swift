import FilterCompiler
import SyscallPolicy
import Testing

/// libseccomp compiles policies, and nothing that it makes is believed before it is proved.
@Suite struct PolicyCompilingTests {
  private static let allow = Action(.allow)

  private func number(_ name: String, _ table: CallTable = .x86_64) throws -> UInt32 {
    try #require(SyscallNames.number(of: (table == .x32 ? "x32:" : "") + name, on: table.architecture))
  }

  private func condition(_ argument: Int, _ test: ArgumentCondition.Test) throws -> ArgumentCondition {
    try ArgumentCondition(argument: argument, test)
  }

  private func policy(
    _ rules: [Policy.Rule], _ table: CallTable = .x86_64, otherwise: Action = Action(.errno, data: 1)
  ) throws -> Policy {
    try Policy(tables: [table: Policy.Table(rules, otherwise: otherwise)])
  }

  /// Rules that libseccomp compiles wrongly, with a call that it decides otherwise.
  private func wrongSets() throws -> [(policy: Policy, number: UInt32)] {
    let (times, dup2) = try (number("times"), number("dup2"))
    return try [
      (
        policy([
          Policy.Rule(times, where: [condition(0, .less(3))], Self.allow),
          Policy.Rule(times, where: [condition(0, .greaterOrEqual(0x1_0000_0003))], Self.allow),
        ]), times
      ),
      (
        policy([
          Policy.Rule(dup2, where: [condition(0, .notEqual(3)), condition(1, .notEqual(3))], Self.allow),
          Policy.Rule(dup2, where: [condition(0, .notEqual(1))], Self.allow),
        ]), dup2
      ),
    ]
  }

  @Test func whatLibseccompCompilesWronglyIsCaught() throws {
    for (policy, number) in try wrongSets() {
      let error = #expect(throws: PolicyCompileError.self) { try PolicyBody(handingOver: policy) }
      guard case .body(let body)? = error?.reason, case .wrong(let found) = body.reason else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(found.call.number == number && found.right == policy.answer(to: found.call) && found.left != found.right)
      #expect(error?.rule == policy.rule(deciding: found.call))
      #expect(error.map { "\($0)".contains("compiled wrongly: call \(number)(") } == true)
    }
  }

  @Test func theSameRulesLoweredAreCompiledRightly() throws {
    for (policy, number) in try wrongSets() {
      let body = try PolicyBody(compiling: policy)
      let program = try RegionMap(architecture: .x86_64, default: .policy(body)).compile()
      for first: UInt64 in [0, 1, 2, 3, 4, 0x1_0000_0002, 0x1_0000_0003, 0x1_0000_0004, .max] {
        for second: UInt64 in [0, 1, 3, 0x1_0000_0003] {
          let call = SeccompData(nr: number, arch: .x86_64, args: [first, second, 0, 0, 0, 0])
          #expect(program.evaluate(call).action == policy.answer(to: call), "\(call)")
        }
      }
    }
  }

  @Test func rulesFromWhichLibseccompDoesNotComeBackAreEnded() throws {
    let times = try number("times")
    let first = try Policy.Rule(times, where: [condition(0, .notEqual(1)), condition(1, .notEqual(1))], Self.allow)
    // It adds nothing to the first, which is why no policy has it.
    let second = try Policy.Rule(
      times, where: [condition(0, .notEqual(1)), condition(1, .equal(0x1_0000_0001))], Self.allow)
    #expect(throws: PolicyError.self) { try policy([first, second]) }
    let meaning = try policy([first])
    let error = #expect(throws: PolicyCompileError.self) {
      try PolicyBody(handingOver: meaning, as: [.x86_64: [first, second]])
    }
    #expect(error?.rule == Policy.RuleIndex(.x86_64, 1))
    guard case .endless? = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    // Policies are compiled after it as before.
    let small = try policy([Policy.Rule(times, where: [condition(0, .notEqual(1))], Self.allow)])
    #expect(throws: Never.self) { try PolicyBody(compiling: small) }
  }

  @Test func whatLibseccompRefusesIsNamed() throws {
    // Two tests of one argument in a rule.
    let policy = try policy([
      Policy.Rule(1, Self.allow), Policy.Rule(0, where: [condition(0, .within(3, 9))], Self.allow),
    ])
    let error = #expect(throws: PolicyCompileError.self) { try PolicyBody(handingOver: policy) }
    #expect(error?.reason == .refused(22) && error?.rule == Policy.RuleIndex(.x86_64, 1))
    #expect(throws: Never.self) { try PolicyBody(compiling: policy) }
  }

  @Test func rulesThatAreTooManyAreNamed() throws {
    let wide = try (0...2).map { try condition($0, .within(5, 0x7777_7777_7777_7777)) }
    let other = try (3...5).map { try condition($0, .within(5, 0x7777_7777_7777_7777)) }
    let policy = try policy([
      Policy.Rule(0, Self.allow), Policy.Rule(7, where: wide, Self.allow), Policy.Rule(7, where: other, Action(.trap)),
    ])
    let error = #expect(throws: PolicyCompileError.self) { try PolicyBody(compiling: policy) }
    #expect(error?.rule == Policy.RuleIndex(.x86_64, 2))
    #expect(error.map { "\($0)".contains("rule 3 for x86_64: with this rule the call takes more comparisons") } == true)
  }

  /// As much as one call and as all calls of a filter may take: what libseccomp makes of it still is a filter, in time.
  @Test(arguments: [(1, 60), (13, 15)]) func theLargestPartsFit(calls: Int, rulesEach: Int) throws {
    let rules = try (UInt64(0)..<UInt64(calls * rulesEach)).map { index in
      let conditions = try (0..<2).map {
        let value = (index * 0x1_2345_6789 + UInt64($0)) << 8 & 0x00ff_ffff_ffff_ff00
        return try condition($0, .masked(0x00ff_ffff_ffff_ff00, equal: value))
      }
      return Policy.Rule(UInt32(index) % UInt32(calls), where: conditions, Action(.trap, data: UInt16(index)))
    }
    #expect(throws: Never.self) { try PolicyBody(compiling: policy(rules)) }
  }

  /// Cubes that overlap, and answers that are left out.
  @Test func manyAlternatives() throws {
    let conditions = try (0..<6).map { try condition($0, .notEqual(UInt64($0) + 1)) }
    let policy = try policy([
      Policy.Rule(7, where: conditions, Self.allow), Policy.Rule(8, where: [conditions[0]], Action(.trap)),
      Policy.Rule(9, Self.allow),
    ])
    let map = RegionMap(architecture: .x86_64, default: .policy(try PolicyBody(compiling: policy)))
    let program = try map.compile()
    #expect(try Prover.difference(FilterStack([program]), RegionSpecification(map)) == nil)
    #expect(program.instructions.count < 45, "\(Disassembler().text(of: program))")
  }

  /// Every answer, those that libseccomp would refuse on some kernels too, and those that say nothing new.
  @Test func allAnswersAreKept() throws {
    let answers = [
      Action(.allow), Action(.trap, data: 5), Action(.errno, data: 4095), Action(.killProcess), Action(.killThread),
      Action(.log), Action(.notify), Action(.trace, data: 0), Action(.trace, data: 1), Action(.trace, data: 77),
    ]
    for otherwise in [Action(.allow), Action(.trace, data: 1)] {
      let rules = answers.enumerated().map { Policy.Rule(UInt32($0.offset), $0.element) }
      let policy = try policy(rules, otherwise: otherwise)
      let program = try RegionMap(architecture: .x86_64, default: .policy(PolicyBody(compiling: policy))).compile()
      for (number, answer) in answers.enumerated() {
        #expect(program.evaluate(SeccompData(nr: UInt32(number), arch: .x86_64)).action == answer)
      }
      #expect(program.evaluate(SeccompData(nr: 99, arch: .x86_64)).action == otherwise)
    }
  }

  /// Filters for other machines are compiled and proved here, with the numbers that their tables have.
  @Test(arguments: [Architecture.aarch64, .riscv64]) func otherMachines(architecture: Architecture) throws {
    let table = CallTable(architecture)
    let write = try number("write", table)
    #expect(write == 64)
    let rules = try [
      Policy.Rule(write, where: [condition(0, .lessOrEqual(2))], Self.allow),
      Policy.Rule(number("futex", table), Self.allow),
    ]
    let policy = try policy(rules, table)
    var map = RegionMap(architecture: architecture, default: .allow)
    try map.insert(AddressRange(start: 0x10_0000, end: 0x20_0000), .policy(PolicyBody(compiling: policy)))
    let program = try map.compile()
    #expect(try Prover.difference(FilterStack([program]), RegionSpecification(map)) == nil)
    func answer(_ number: UInt32, _ first: UInt64) -> Action {
      let call = SeccompData(
        nr: number, arch: AuditArchitecture(architecture), instructionPointer: 0x10_0004, args: [first, 0, 0, 0, 0, 0])
      return program.evaluate(call).action
    }
    #expect(answer(write, 2) == Self.allow && answer(write, 3) == Action(.errno, data: 1))
    #expect(answer(1, 0) == Action(.errno, data: 1))
  }

  @Test func allTablesOfX86() throws {
    var tables: [CallTable: Policy.Table] = [:]
    for table in [CallTable.x86_64, .x32, .i386] {
      let rules = try [
        Policy.Rule(number("socket", table), where: [condition(0, .notEqual(1))], Action(.errno, data: 97)),
        Policy.Rule(number("bind", table), Action(.errno, data: 97)),
      ]
      tables[table] = Policy.Table(rules, otherwise: Self.allow)
    }
    let policy = try Policy(tables: tables)
    let map = RegionMap(architecture: .x86_64, default: .policy(try PolicyBody(compiling: policy)))
    let program = try map.compile()
    #expect(try Prover.difference(FilterStack([program]), RegionSpecification(map)) == nil)
    for (number, architecture): (UInt32, AuditArchitecture) in [
      (41, .x86_64), (0x4000_0000 + 41, .x86_64), (359, .i386),
    ] {
      for (first, answer): (UInt64, Action) in [(1, Self.allow), (2, Action(.errno, data: 97))] {
        let call = SeccompData(nr: number, arch: architecture, args: [first, 0, 0, 0, 0, 0])
        #expect(program.evaluate(call).action == answer)
      }
    }
  }
}
