import FilterCompiler
import Testing
import TestSupport

/// Random programs mean to the simulator and to the checker what they mean to the kernel.
@Suite struct FilterSimulatorTests {
  @Test func theSimulatorRunsWhatTheKernelRuns() throws {
    var generator = ProgramGenerator(seed: 0x5eed)
    var judged = 0
    while judged < 1500 {
      let instructions = generator.instructions(ending: .mask)
      guard let program = try? Program(instructions) else { continue }
      let judge = try FilterJudge(measuring: instructions)
      for _ in 0..<4 {
        let data = generator.data()
        let verdict = try judge.verdict(data)
        try #require(program.evaluate(data).action == verdict, "\(Disassembler().text(of: program))\(data)")
      }
      judged += 1
    }
  }

  @Test func theCheckerRefusesWhatTheKernelRefuses() throws {
    var generator = ProgramGenerator(seed: 0xbad)
    var (accepted, refused) = (0, 0)
    for _ in 0..<6000 {
      let instructions = generator.instructions(ending: .anything)
      let isValid = (try? Program(instructions)) != nil
      if isValid { accepted += 1 } else { refused += 1 }
      let isAttached = (try? FilterJudge(measuring: instructions).isAttached) ?? false
      try #require(isValid == isAttached, "\(instructions)")
    }
    #expect(accepted > 500 && refused > 500, "\(accepted) accepted, \(refused) refused: nothing was compared")
  }
}

extension FilterJudge {
  /// True: a judge exists only where the kernel took its program.
  fileprivate var isAttached: Bool { true }
}

/// Random instructions of the opcodes that seccomp allows, with operands around the edges of what is allowed.
private struct ProgramGenerator {
  enum Ending { case mask, anything }

  private var generator: SeededGenerator
  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  private mutating func next() -> UInt64 { generator.next() }

  private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  private mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

  mutating func data() -> SeccompData {
    SeccompData(
      nr: UInt32(below(8)), arch: pick(AuditArchitecture.known),
      instructionPointer: next() >> UInt64(below(64)),
      args: (0..<6).map { _ in next() >> UInt64(below(64)) })
  }

  mutating func instructions(ending: Ending) -> [Instruction] {
    let count = 2 + below(20)
    var result = (0..<count).map { instruction(at: $0, of: count, careless: ending == .anything) }
    switch ending {
    case .mask:
      // The lowest bits, as a length that is neither 0 nor cut off.
      result.append(Operation.compute(.and, .constant(31)).instruction)
      result.append(Operation.compute(.add, .constant(1)).instruction)
      result.append(Operation.answerAccumulator.instruction)
    case .anything:
      if below(8) > 0 { result.append(Operation.answer(Action(rawValue: 3)).instruction) }
    }
    return result
  }

  private mutating func instruction(at index: Int, of count: Int, careless: Bool) -> Instruction {
    let constant = pick([0, 1, 2, 31, 0x7fff_ffff, 0x8000_0000, .max, UInt32(truncatingIfNeeded: next())])
    let operand: Operation.Operand = below(2) == 0 ? .constant(constant) : .index
    let register: Operation.Register = below(2) == 0 ? .accumulator : .index
    let cell = below(careless ? 17 : 3)
    let room = count - index + (careless && below(10) == 0 ? 3 : 0)
    let word = DataWord(offset: UInt32(below(16)) * 4) ?? .number
    switch below(12) {
    case 0, 1: return Operation.loadData(word).instruction
    case 2: return Operation.load(register, .constant(constant)).instruction
    case 3: return Operation.load(register, .memory(cell)).instruction
    case 4: return Operation.store(register, cell).instruction
    case 5, 6:
      let arithmetic = pick(Operation.Arithmetic.allCases)
      return Operation.compute(arithmetic, careless ? operand : sensible(arithmetic, operand)).instruction
    case 7:
      return pick([Operation.negate, .copyToIndex, .copyToAccumulator, .load(register, .length)]).instruction
    case 8: return Operation.jump(UInt32(below(room))).instruction
    case 9: return Operation.answer(Action(rawValue: UInt32(1 + below(40)))).instruction
    default:
      return Operation.branch(
        pick(Operation.Comparison.allCases), operand, jt: UInt8(below(room)), jf: UInt8(below(room))
      ).instruction
    }
  }

  /// An operand that does not make the kernel refuse the program.
  private mutating func sensible(
    _ arithmetic: Operation.Arithmetic, _ operand: Operation.Operand
  ) -> Operation.Operand {
    guard case .constant(let constant) = operand else { return operand }
    return switch arithmetic {
    case .divide: .constant(max(constant, 1))
    case .shiftLeft, .shiftRight: .constant(constant & 31)
    default: operand
    }
  }
}
