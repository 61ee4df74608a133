/// What an instruction means: the one description from which programs are checked, run, shown and emitted.
///
/// It covers what the kernel lets a seccomp filter contain. `A` is the accumulator, `X` the index register; both
/// are 32 bits wide and 0 at the start.
public enum Operation: Hashable, Sendable {
  /// One of the two registers.
  public enum Register: Hashable, Sendable { case accumulator, index }

  /// What a register can be filled with.
  public enum Source: Hashable, Sendable {
    /// The constant itself.
    case constant(UInt32)
    /// The length of `struct seccomp_data`, 64.
    case length
    /// A cell of the scratch memory, 0...15.
    case memory(Int)
  }

  /// The right-hand side of arithmetic or a comparison.
  public enum Operand: Hashable, Sendable {
    /// The constant of the instruction.
    case constant(UInt32)
    /// The index register, `X`.
    case index
  }

  /// Arithmetic on `A`, modulo 2^32; the values are the kernel's (`BPF_ADD`, …). Division by an `X` of 0 ends the program with the answer 0; shifts use the
  /// five lowest bits of `X`.
  public enum Arithmetic: UInt16, CaseIterable, Hashable, Sendable {
    case add = 0x00
    case subtract = 0x10
    case multiply = 0x20
    case divide = 0x30
    case or = 0x40
    case and = 0x50
    case shiftLeft = 0x60
    case shiftRight = 0x70
    case exclusiveOr = 0xa0
  }

  /// An unsigned comparison of `A` (`BPF_JEQ`, `BPF_JGT`, `BPF_JGE`, `BPF_JSET`); the last one, ``anyBit``, holds where
  /// the two have a bit in common.
  public enum Comparison: UInt16, CaseIterable, Hashable, Sendable {
    case equal = 0x10
    case greater = 0x20
    case greaterOrEqual = 0x30
    case anyBit = 0x40
  }

  /// `A` becomes a word of the call's description.
  case loadData(DataWord)
  /// A register becomes a constant, 64, or a memory cell.
  case load(Register, Source)
  /// A memory cell, 0...15, becomes a register.
  case store(Register, Int)
  /// `A` becomes `A` and the operand, combined.
  case compute(Arithmetic, Operand)
  /// `A` becomes its two's complement.
  case negate
  /// `X` becomes `A`.
  case copyToIndex
  /// `A` becomes `X`.
  case copyToAccumulator
  /// Skips this many instructions.
  case jump(UInt32)
  /// Skips `jt` instructions where the comparison of `A` holds, else `jf`.
  case branch(Comparison, Operand, jt: UInt8, jf: UInt8)
  /// Ends with this answer.
  case answer(Action)
  /// Ends with `A` as the answer.
  case answerAccumulator
}

extension Operation {
  // The fields of an opcode, after linux/bpf_common.h.
  private static let loadClass: UInt16 = 0x00
  private static let loadIndexClass: UInt16 = 0x01
  private static let storeOpcode: UInt16 = 0x02
  private static let storeIndexOpcode: UInt16 = 0x03
  private static let arithmeticClass: UInt16 = 0x04
  private static let jumpClass: UInt16 = 0x05
  private static let answerOpcode: UInt16 = 0x06
  private static let answerAccumulatorOpcode: UInt16 = 0x16
  private static let copyToIndexOpcode: UInt16 = 0x07
  private static let copyToAccumulatorOpcode: UInt16 = 0x87
  private static let immediateMode: UInt16 = 0x00
  private static let absoluteMode: UInt16 = 0x20
  private static let memoryMode: UInt16 = 0x60
  private static let lengthMode: UInt16 = 0x80
  private static let indexOperand: UInt16 = 0x08
  private static let negateOperation: UInt16 = 0x80

  /// The meaning of an instruction.
  ///
  /// - Throws: ``ProgramError/Reason`` where the kernel refuses it wherever it stands in a program.
  public init(_ instruction: Instruction) throws(ProgramError.Reason) {
    let (code, k) = (instruction.code, instruction.k)
    switch code {
    case Self.loadClass | Self.absoluteMode:
      guard let word = DataWord(offset: k) else { throw .loadOutsideData(offset: k) }
      self = .loadData(word)
    case Self.loadClass | Self.immediateMode: self = .load(.accumulator, .constant(k))
    case Self.loadClass | Self.lengthMode: self = .load(.accumulator, .length)
    case Self.loadClass | Self.memoryMode: self = .load(.accumulator, .memory(try Self.slot(k)))
    case Self.loadIndexClass | Self.immediateMode: self = .load(.index, .constant(k))
    case Self.loadIndexClass | Self.lengthMode: self = .load(.index, .length)
    case Self.loadIndexClass | Self.memoryMode: self = .load(.index, .memory(try Self.slot(k)))
    case Self.storeOpcode: self = .store(.accumulator, try Self.slot(k))
    case Self.storeIndexOpcode: self = .store(.index, try Self.slot(k))
    case Self.answerOpcode: self = .answer(Action(rawValue: k))
    case Self.answerAccumulatorOpcode: self = .answerAccumulator
    case Self.copyToIndexOpcode: self = .copyToIndex
    case Self.copyToAccumulatorOpcode: self = .copyToAccumulator
    case Self.jumpClass: self = .jump(k)
    case Self.arithmeticClass | Self.negateOperation: self = .negate
    default:
      let operand: Operand = code & Self.indexOperand == 0 ? .constant(k) : .index
      let function = code & 0xf0
      switch code & ~(0xf0 | Self.indexOperand) {
      case Self.arithmeticClass:
        guard let arithmetic = Arithmetic(rawValue: function) else { throw .opcodeNotAllowed(code) }
        try Self.check(arithmetic, operand)
        self = .compute(arithmetic, operand)
      case Self.jumpClass:
        guard let comparison = Comparison(rawValue: function) else { throw .opcodeNotAllowed(code) }
        self = .branch(comparison, operand, jt: instruction.jt, jf: instruction.jf)
      default: throw .opcodeNotAllowed(code)
      }
    }
  }

  private static func slot(_ k: UInt32) throws(ProgramError.Reason) -> Int {
    guard k < 16 else { throw .memoryCellOutOfRange(k) }
    return Int(k)
  }

  private static func check(_ arithmetic: Arithmetic, _ operand: Operand) throws(ProgramError.Reason) {
    guard case .constant(let k) = operand else { return }
    switch arithmetic {
    case .divide where k == 0: throw .divisionByZero
    case .shiftLeft where k >= 32, .shiftRight where k >= 32: throw .shiftTooFar(k)
    default: break
    }
  }

  /// The instruction with this meaning.
  public var instruction: Instruction {
    switch self {
    case .loadData(let word): Instruction(code: Self.loadClass | Self.absoluteMode, k: word.offset)
    case .load(let register, let source): Self.load(register, source)
    case .store(.accumulator, let cell): Instruction(code: Self.storeOpcode, k: UInt32(cell))
    case .store(.index, let cell): Instruction(code: Self.storeIndexOpcode, k: UInt32(cell))
    case .compute(let arithmetic, let operand):
      Self.instruction(Self.arithmeticClass | arithmetic.rawValue, operand)
    case .negate: Instruction(code: Self.arithmeticClass | Self.negateOperation, k: 0)
    case .copyToIndex: Instruction(code: Self.copyToIndexOpcode, k: 0)
    case .copyToAccumulator: Instruction(code: Self.copyToAccumulatorOpcode, k: 0)
    case .jump(let distance): Instruction(code: Self.jumpClass, k: distance)
    case .branch(let comparison, let operand, let jt, let jf):
      Self.instruction(Self.jumpClass | comparison.rawValue, operand, jt: jt, jf: jf)
    case .answer(let action): Instruction(code: Self.answerOpcode, k: action.rawValue)
    case .answerAccumulator: Instruction(code: Self.answerAccumulatorOpcode, k: 0)
    }
  }

  private static func load(_ register: Register, _ source: Source) -> Instruction {
    let target = register == .accumulator ? loadClass : loadIndexClass
    return switch source {
    case .constant(let k): Instruction(code: target | immediateMode, k: k)
    case .length: Instruction(code: target | lengthMode, k: 0)
    case .memory(let cell): Instruction(code: target | memoryMode, k: UInt32(cell))
    }
  }

  private static func instruction(
    _ code: UInt16, _ operand: Operand, jt: UInt8 = 0, jf: UInt8 = 0
  ) -> Instruction {
    switch operand {
    case .constant(let k): Instruction(code: code, jt: jt, jf: jf, k: k)
    case .index: Instruction(code: code | indexOperand, jt: jt, jf: jf, k: 0)
    }
  }
}
