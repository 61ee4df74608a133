/// What a filter sees of one system call (`struct seccomp_data`).
public struct SeccompData: Hashable, Sendable {
  /// The system call number.
  public var number: UInt32
  /// The architecture whose numbers are meant.
  public var architecture: AuditArchitecture
  /// The address after the system call instruction.
  public var instructionPointer: UInt64
  /// The six arguments.
  public var arguments: [UInt64] {
    didSet { precondition(arguments.count == 6, "a system call has six arguments") }
  }

  /// A call; what is not given is 0, and the architecture the one this code was compiled for.
  public init(
    nr number: UInt32, arch architecture: AuditArchitecture = AuditArchitecture(.host),
    instructionPointer: UInt64 = 0, args arguments: [UInt64] = [0, 0, 0, 0, 0, 0]
  ) {
    precondition(arguments.count == 6, "a system call has six arguments")
    self.number = number
    self.architecture = architecture
    self.instructionPointer = instructionPointer
    self.arguments = arguments
  }

  /// The words of the structure, in its order.
  subscript(word: DataWord) -> UInt32 {
    switch word.index {
    case 0: number
    case 1: architecture.rawValue
    default:
      UInt32(
        truncatingIfNeeded: (word.index < 4 ? instructionPointer : arguments[(word.index - 4) / 2])
          >> (word.isHighHalf ? 32 : 0))
    }
  }

  /// The 64 bytes of the structure, little-endian.
  package var encoded: [UInt8] {
    stride(from: UInt32(0), to: 64, by: 4).flatMap { offset -> [UInt8] in
      guard let word = DataWord(offset: offset) else { return [] }
      return [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: self[word] >> $0) }
    }
  }
}
