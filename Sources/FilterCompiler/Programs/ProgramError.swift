/// Why the kernel would refuse an array of instructions, and at which byte of it.
public struct ProgramError: Error, Hashable, Sendable {
  /// The rule that is broken (`bpf_check_classic` in net/core/filter.c, `seccomp_check_filter` in
  /// kernel/seccomp.c).
  public enum Reason: Error, Hashable, Sendable {
    /// There is no instruction at all.
    case empty
    /// The bytes end inside an instruction; this many belong to the last one.
    case truncated(bytes: Int)
    /// A program holds at most 4096 instructions.
    case tooLong
    /// An opcode that seccomp does not allow.
    case opcodeNotAllowed(UInt16)
    /// A load that is not aligned to 4 bytes or reaches beyond the 64 bytes of `struct seccomp_data`.
    case loadOutsideData(offset: UInt32)
    /// There are 16 memory cells.
    case memoryCellOutOfRange(UInt32)
    /// A memory cell is read that is not written on every way to here.
    case memoryReadBeforeWritten(Int)
    /// Division by the constant 0.
    case divisionByZero
    /// A shift by 32 or more.
    case shiftTooFar(UInt32)
    /// A jump past the last instruction.
    case jumpOutOfRange(distance: UInt32)
    /// The last instruction does not return.
    case endsWithoutReturn
  }

  /// The byte at which the offending instruction starts, or the bytes stop making sense.
  public let offset: Int
  /// The rule that is broken there.
  public let reason: Reason

  /// An error at a byte offset.
  public init(offset: Int, reason: Reason) {
    self.offset = offset
    self.reason = reason
  }
}

extension ProgramError: CustomStringConvertible {
  /// `offset N:` and the rule, in one line.
  public var description: String { "offset \(offset): \(reason)" }
}

extension ProgramError.Reason: CustomStringConvertible {
  /// The rule in words.
  public var description: String {
    switch self {
    case .empty: "there is no instruction"
    case .truncated(let bytes): "the last instruction has \(bytes) of its 8 bytes"
    case .tooLong: "there are more than the 4096 instructions of a program"
    case .opcodeNotAllowed(let code): "seccomp does not allow the opcode \(hexadecimal(code))"
    case .loadOutsideData(let offset):
      "a load from offset \(offset) is not an aligned word of the 64 bytes of seccomp_data"
    case .memoryCellOutOfRange(let cell): "there is no memory cell \(cell); they are 0 to 15"
    case .memoryReadBeforeWritten(let cell): "memory cell \(cell) is read before it is written on every path"
    case .divisionByZero: "a division by the constant 0"
    case .shiftTooFar(let count): "a shift of a 32-bit register by \(count)"
    case .jumpOutOfRange(let distance): "a jump over \(distance) instructions leaves the program"
    case .endsWithoutReturn: "the last instruction is not a return"
    }
  }
}
