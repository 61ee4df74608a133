import FilterCompiler
import Testing
import TestSupport

/// What counts as a filter, and where it stops being one.
@Suite struct ProgramTests {
  private static let allow = Operation.answer(Action(.allow)).instruction

  private func refusal(_ instructions: [Instruction]) -> ProgramError? {
    #expect(throws: ProgramError.self) { try Program(instructions) }
  }

  @Test func anInstructionIsLaidOutAsTheKernelHasIt() {
    // struct sock_filter { __u16 code; __u8 jt; __u8 jf; __u32 k; }
    #expect(MemoryLayout<Instruction>.size == 8 && MemoryLayout<Instruction>.stride == 8)
    #expect(MemoryLayout<Instruction>.offset(of: \.code) == 0)
    #expect(MemoryLayout<Instruction>.offset(of: \.jt) == 2)
    #expect(MemoryLayout<Instruction>.offset(of: \.jf) == 3)
    #expect(MemoryLayout<Instruction>.offset(of: \.k) == 4)
  }

  @Test func theDescriptionOfACallIsLaidOutAsTheKernelHasIt() {
    let data = SeccompData(
      nr: 0x0102_0304, arch: .x86_64, instructionPointer: 0x1112_1314_2122_2324,
      args: [1, 2, 3, 4, 5, 0x3132_3334_4142_4344])
    let bytes = data.encoded
    #expect(bytes.count == 64)
    #expect(bytes[0..<16] == [4, 3, 2, 1, 0x3e, 0, 0, 0xc0, 0x24, 0x23, 0x22, 0x21, 0x14, 0x13, 0x12, 0x11])
    #expect(bytes[56..<64] == [0x44, 0x43, 0x42, 0x41, 0x34, 0x33, 0x32, 0x31])
  }

  @Test func bytesComeBackAsTheyWent() throws {
    var generator = SeededGenerator(seed: 3)
    for shape in MapShape.allCases {
      let program = try RegionMap.random(shape, count: 30, dontCare: false, using: &generator).compile()
      #expect(try Program(raw: program.encoded()) == program)
    }
    #expect(try Program([Self.allow]).encoded() == [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f])
  }

  @Test func everyOperationIsReadAsItWasWritten() throws {
    var operations: [Operation] = [.negate, .copyToIndex, .copyToAccumulator, .jump(5), .answerAccumulator]
    operations += (0..<16).compactMap { DataWord(offset: $0 * 4) }.map { .loadData($0) }
    for register: Operation.Register in [.accumulator, .index] {
      operations += [.load(register, .constant(7)), .load(register, .length), .load(register, .memory(15))]
      operations.append(.store(register, 15))
    }
    for operand: Operation.Operand in [.constant(9), .index] {
      operations += Operation.Arithmetic.allCases.map { .compute($0, operand) }
      operations += Operation.Comparison.allCases.map { .branch($0, operand, jt: 1, jf: 2) }
    }
    operations += Action.Kind.allCases.map { .answer(Action($0, data: 3)) }
    for operation in operations { #expect(try Operation(operation.instruction) == operation) }
    // BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4) and BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 1, 2), as C compiles them.
    #expect(Operation.loadData(.architecture).instruction == Instruction(code: 0x20, k: 4))
    #expect(
      Operation.branch(.equal, .constant(9), jt: 1, jf: 2).instruction == Instruction(code: 0x15, jt: 1, jf: 2, k: 9))
  }

  @Test func truncatedBytesAreRefusedWhereTheyEnd() throws {
    let bytes = try Program([Operation.loadData(.number).instruction, Self.allow]).encoded()
    for count in 0..<bytes.count where count != 8 {
      let error = #expect(throws: ProgramError.self) { try Program(raw: Array(bytes.prefix(count))) }
      #expect(error?.offset == count / 8 * 8)
      #expect(error?.reason == (count == 0 ? .empty : .truncated(bytes: count % 8)))
    }
    // The first instruction alone is complete, and does not return.
    let error = #expect(throws: ProgramError.self) { try Program(raw: Array(bytes.prefix(8))) }
    #expect(error == ProgramError(offset: 0, reason: .endsWithoutReturn))
  }

  @Test func otherFilesAreRefusedAtTheirFirstStrangeInstruction() {
    let elf: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0]
    let error = #expect(throws: ProgramError.self) { try Program(raw: elf) }
    #expect(error == ProgramError(offset: 0, reason: .opcodeNotAllowed(0x457f)))
    #expect(error?.description.contains("offset 0") == true)
  }

  @Test func lengthIsLimited() {
    #expect(refusal([]) == ProgramError(offset: 0, reason: .empty))
    let longest = Array(repeating: Self.allow, count: 4096)
    #expect(throws: Never.self) { try Program(longest) }
    #expect(refusal(longest + [Self.allow]) == ProgramError(offset: 32768, reason: .tooLong))
    let error = #expect(throws: ProgramError.self) {
      try Program(raw: (longest + [Self.allow]).flatMap { _ in [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f] })
    }
    #expect(error == ProgramError(offset: 32768, reason: .tooLong))
  }

  @Test(arguments: [
    (Instruction(code: 0x20, k: 2), ProgramError.Reason.loadOutsideData(offset: 2)),
    (Instruction(code: 0x20, k: 64), .loadOutsideData(offset: 64)),
    (Instruction(code: 0x28, k: 0), .opcodeNotAllowed(0x28)),
    (Instruction(code: 0x30, k: 0), .opcodeNotAllowed(0x30)), (Instruction(code: 0x40, k: 0), .opcodeNotAllowed(0x40)),
    (Instruction(code: 0x94, k: 3), .opcodeNotAllowed(0x94)),
    (Instruction(code: 0x02, k: 16), .memoryCellOutOfRange(16)),
    (Instruction(code: 0x60, k: 16), .memoryCellOutOfRange(16)), (Instruction(code: 0x34, k: 0), .divisionByZero),
    (Instruction(code: 0x64, k: 32), .shiftTooFar(32)), (Instruction(code: 0x74, k: 32), .shiftTooFar(32)),
    (Instruction(code: 0x05, k: 1), .jumpOutOfRange(distance: 1)),
    (Instruction(code: 0x05, k: .max), .jumpOutOfRange(distance: .max)),
    (Instruction(code: 0x15, jt: 0, jf: 1, k: 0), .jumpOutOfRange(distance: 1)),
    (Instruction(code: 0x15, jt: 200, jf: 0, k: 0), .jumpOutOfRange(distance: 200)),
    (Instruction(code: 0x60, k: 1), .memoryReadBeforeWritten(1)),
    (Instruction(code: 0x106, k: 0), .opcodeNotAllowed(0x106)),
  ])
  func theKernelsRulesHold(instruction: Instruction, reason: ProgramError.Reason) {
    let start = Operation.loadData(.number).instruction
    #expect(refusal([start, instruction, Self.allow]) == ProgramError(offset: 8, reason: reason))
  }

  @Test func theLastInstructionReturns() {
    #expect(refusal([Operation.loadData(.number).instruction]) == ProgramError(offset: 0, reason: .endsWithoutReturn))
    #expect(
      refusal([Self.allow, Operation.negate.instruction]) == ProgramError(offset: 8, reason: .endsWithoutReturn))
  }

  @Test func aCellIsWrittenOnEveryWayToWhereItIsRead() {
    let branch = Operation.branch(.equal, .constant(0), jt: 0, jf: 1).instruction
    let store = Operation.store(.accumulator, 4).instruction
    let load = Operation.load(.index, .memory(4)).instruction
    #expect(refusal([branch, store, load, Self.allow])?.reason == .memoryReadBeforeWritten(4))
    #expect(throws: Never.self) { try Program([store, branch, store, load, Self.allow]) }
  }
}
