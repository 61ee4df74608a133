extension Program {
  /// The bytes of one `struct sock_filter`.
  private static let size = 8

  /// Reads an array of `struct sock_filter`, little-endian and without a header: what `cordon compile -f raw`,
  /// libseccomp's `seccomp_export_bpf` and `PTRACE_SECCOMP_GET_FILTER` write.
  ///
  /// - Throws: ``ProgramError``, with the offset in `bytes`, where the kernel would refuse it.
  public init(raw bytes: [UInt8]) throws(ProgramError) {
    let (count, rest) = bytes.count.quotientAndRemainder(dividingBy: Self.size)
    var instructions: [Instruction] = []
    for start in stride(from: 0, to: min(count, Self.maximumLength) * Self.size, by: Self.size) {
      let instruction = Self.instruction(bytes[start..<start + Self.size])
      // A file of another kind is known by its first bytes rather than by its length.
      do { _ = try Operation(instruction) } catch { throw ProgramError(offset: start, reason: error) }
      instructions.append(instruction)
    }
    guard count <= Self.maximumLength else {
      throw ProgramError(offset: Self.maximumLength * Self.size, reason: .tooLong)
    }
    guard rest == 0 else {
      throw ProgramError(offset: count * Self.size, reason: .truncated(bytes: rest))
    }
    try self.init(instructions)
  }

  private static func instruction(_ bytes: ArraySlice<UInt8>) -> Instruction {
    let first = bytes.startIndex
    func number(_ range: Range<Int>) -> UInt32 {
      range.reversed().reduce(0) { $0 << 8 | UInt32(bytes[first + $1]) }
    }
    return Instruction(
      code: UInt16(number(0..<2)), jt: bytes[first + 2], jf: bytes[first + 3], k: number(4..<8))
  }

  /// The bytes that ``init(raw:)`` reads.
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(instructions.count * Self.size)
    for instruction in instructions {
      bytes.append(UInt8(truncatingIfNeeded: instruction.code))
      bytes.append(UInt8(truncatingIfNeeded: instruction.code >> 8))
      bytes.append(instruction.jt)
      bytes.append(instruction.jf)
      for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: instruction.k >> shift)) }
    }
    return bytes
  }
}
