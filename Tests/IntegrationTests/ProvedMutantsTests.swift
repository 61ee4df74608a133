import FilterCompiler
import Glibc
import Testing
import TestSupport

/// Every mutant of a filter whose meaning changed is caught, and every counterexample is one for the kernel too.
///
/// A mutant differs in one constant, one jump or one opcode. The judges are the simulator, on calls that lie around
/// every constant in the program, and the kernel's BPF machine on the counterexample.
@Suite struct ProvedMutantsTests {
  private typealias Meaning = FilterCompiler.Operation

  private static func number(_ variable: String) -> UInt64? {
    getenv(variable).flatMap { UInt64(String(cString: $0)) }
  }

  private static let mutants = number("CORDON_FUZZ_MUTANTS").map(Int.init) ?? 1000
  private static let seed = number("CORDON_FUZZ_SEED") ?? 0x3d3d

  /// What a filter decides by.
  private enum Kind: CaseIterable {
    case regions, arguments, numbers, policies
  }

  @Test(arguments: Kind.allCases)
  private func `mutants are caught, and counterexamples hold before the kernel`(kind: Kind) throws {
    var generator = SeededGenerator(seed: Self.seed)
    var (caught, same, refused) = (0, 0, 0)
    var (original, calls) = try Self.subject(kind, using: &generator)
    while caught < Self.mutants / Kind.allCases.count {
      if caught % 10 == 0 { (original, calls) = try Self.subject(kind, using: &generator) }
      guard let mutant = Self.mutant(of: original, using: &generator) else { continue }
      let found: Counterexample?
      do {
        found = try Prover.difference(FilterStack([original]), FilterStack([mutant]))
      } catch {
        // A sum that became a product with a large number: no answer, and above all not yes.
        refused += 1
        continue
      }
      guard let found else {
        same += 1
        let liar = calls.first { original.verdict($0) != mutant.verdict($0) }
        try #require(liar == nil, "not caught:\n\(Disassembler().text(of: mutant))")
        continue
      }
      caught += 1
      for (program, verdict) in [(original, found.left), (mutant, found.right)] {
        try #require(program.verdict(found.call) == verdict)
        let judged = try FilterJudge(program).verdict(found.call)
        try #require(FilterStack.effect(of: judged) == verdict, "\(found.call)\n\(Disassembler().text(of: program))")
      }
      try #require(found.left != found.right)
    }
    #expect(same < caught, "hardly any of the mutants meant something else")
    #expect(refused * 50 <= caught, "\(refused) mutants could not be reasoned about")
  }

  /// A filter as people have them, and calls around all that it compares with.
  private static func subject(_ kind: Kind, using generator: inout SeededGenerator) throws -> (Program, [SeccompData]) {
    let program: Program
    switch kind {
    case .regions: program = try regions(using: &generator)
    case .arguments: program = try arguments(using: &generator)
    case .numbers: program = try numbers(using: &generator)
    case .policies: program = try policies(using: &generator)
    }
    var constants: Set<UInt32> = [0, .max]
    for instruction in program.instructions {
      for step: UInt32 in [0, 1, .max] { constants.insert(instruction.k &+ step) }
    }
    let values = constants.sorted()
    func value() -> UInt32 { values.randomElement(using: &generator) ?? 0 }
    func wide() -> UInt64 { UInt64(value()) << 32 | UInt64(value()) }
    let calls = (0..<400).map { _ in
      SeccompData(
        nr: value(), arch: Bool.random(using: &generator) ? .x86_64 : AuditArchitecture(rawValue: value()),
        instructionPointer: wide(), args: (0..<6).map { _ in wide() })
    }
    return (program, calls)
  }

  private static func regions(using generator: inout SeededGenerator) throws -> Program {
    var map = RegionMap(default: .allow)
    var next: UInt64 = 0x7f00_0000_0000
    for index in 0..<Int.random(in: 1...12, using: &generator) {
      next += UInt64.random(in: 2...1 << UInt64.random(in: 4...36, using: &generator), using: &generator)
      let end = next + UInt64.random(in: 2...1 << UInt64.random(in: 4...36, using: &generator), using: &generator)
      try map.insert(AddressRange(start: next, end: end), [.trap, .errno(1), .killProcess][index % 3])
      next = end
    }
    let numbers = [0, 1, 39, 60, 202, 231].filter { _ in Bool.random(using: &generator) }.map(UInt32.init)
    return try map.compile(CompileOptions(checkedArchitectures: [.x86_64], allowedNumbers: numbers))
  }

  /// Some hundred numbers that are allowed and a few that trap, of two architectures, from anywhere but a gate.
  private static func numbers(using generator: inout SeededGenerator) throws -> Program {
    func set(of share: Int) -> [UInt32] {
      (0..<335).filter { _ in Int.random(in: 0..<10, using: &generator) < share }
    }
    let (allowed, old) = (set(of: 8), set(of: 3))
    var options = CompileOptions(
      allowedNumbers: allowed, foreignAllowedNumbers: [.i386: old],
      gate: try AddressRange(start: 0x7f00_0000_0000, end: 0x7f00_0000_2000),
      globalTrapNumbers: set(of: 4).filter { !allowed.contains($0) }, trapData: 7)
    options.foreignTrapNumbers = [.i386: set(of: 2).filter { !old.contains($0) }]
    return try RegionMap(default: .errno(38)).compile(options)
  }

  /// Code with policies by number and argument for each of the machine's architectures, in a program that is free or not.
  private static func policies(using generator: inout SeededGenerator) throws -> Program {
    var map = RegionMap(default: Bool.random(using: &generator) ? .allow : .trap)
    var next: UInt64 = 0x7f00_0000_0000
    for name in ["first", "second"] {
      guard let policy = FuzzedFilter.policy(name, .x86_64, using: &generator) else { continue }
      next += UInt64.random(in: 2...1 << 34, using: &generator)
      try map.insert(AddressRange(start: next, end: next + 0x2000), policy)
      next += 0x2000
    }
    return try map.compile()
  }

  /// A chain of numbers, each with a test of an argument: masks, halves, arithmetic.
  private static func arguments(using generator: inout SeededGenerator) throws -> Program {
    var steps: [Meaning] = []
    for index in 0..<Int.random(in: 2...8, using: &generator) {
      let constant = UInt32.random(in: 0...(.max), using: &generator) >> UInt32.random(in: 0...31, using: &generator)
      let argument = index % 6
      let body: [Meaning] =
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: [.loadData(.argumentLow(argument)), .compute(.and, .constant(constant | 1))]
        case 1: [.loadData(.argumentHigh(argument)), .compute(.add, .constant(constant))]
        case 2:
          [
            .loadData(.argumentLow(argument)), .compute(.shiftRight, .constant(constant & 31)), .copyToIndex,
            .copyToAccumulator, .load(.index, .constant(constant | 1)),
          ]
        default: [.loadData(.argumentLow(argument)), .store(.accumulator, 3), .load(.accumulator, .memory(3))]
        }
      let comparison = Meaning.Comparison.allCases.randomElement(using: &generator) ?? .equal
      let test: [Meaning] = [
        .branch(comparison, .constant(constant), jt: 0, jf: 1), .answer(Action(.errno, data: UInt16(index + 1))),
        .answer(Action(.trap, data: UInt16(index))),
      ]
      let number = UInt32.random(in: 0..<8, using: &generator) + UInt32(index) * 8
      steps +=
        [.loadData(.number), .branch(.equal, .constant(number), jt: 0, jf: UInt8((body + test).count))] + body + test
    }
    return try Program((steps + [.answer(Action(.allow))]).map(\.instruction))
  }

  /// The program with one thing changed; nil where the kernel would refuse it.
  private static func mutant(of program: Program, using generator: inout SeededGenerator) -> Program? {
    var instructions = program.instructions
    let index = Int.random(in: 0..<instructions.count, using: &generator)
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: instructions[index].k &+= Bool.random(using: &generator) ? 1 : .max
    case 1: instructions[index].k ^= 1 << UInt32.random(in: 0..<32, using: &generator)
    case 2:
      if Bool.random(using: &generator) { instructions[index].jt ^= 1 } else { instructions[index].jf ^= 1 }
    default: instructions[index].code ^= [0x10, 0x20, 0x30, 0x08].randomElement(using: &generator) ?? 0x10
    }
    guard instructions != program.instructions, let mutant = try? Program(instructions) else { return nil }
    // Products and quotients with large numbers are refused, after as much work as a proof may take.
    if case .compute(.multiply, .constant(64...)) = mutant.operations[index] { return nil }
    if case .compute(.divide, .constant(64...)) = mutant.operations[index] { return nil }
    // The judge tells answers apart by their place in the program; computed ones have none.
    return mutant.operations.contains(.answerAccumulator) ? nil : mutant
  }
}

extension Program {
  fileprivate func verdict(_ call: SeccompData) -> Action { FilterStack([self]).evaluate(call).action }
}

extension FilterStack {
  /// What the kernel makes of an answer.
  fileprivate static func effect(of answer: Action) -> Action { answer.kind == .allow ? Action(.allow) : answer }
}
