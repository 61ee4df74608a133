extension Program {
  /// The bytes of one `struct sock_filter`.
  private static let stride = 8

  /// Reads an array of `struct sock_filter`, little-endian and without a header: what `cordon compile -f raw`,
  /// libseccomp's `seccomp_export_bpf` and `PTRACE_SECCOMP_GET_FILTER` write.
  ///
  /// - Throws: ``ProgramError``, with the offset in `bytes`, where the kernel would refuse it.
  public init(raw bytes: [UInt8]) throws(ProgramError) {
    let (count, rest) = bytes.count.quotientAndRemainder(dividingBy: Self.stride)
    guard rest == 0 else {
      throw ProgramError(offset: count * Self.stride, reason: .truncated(bytes: rest))
    }
    try self.init(
      (0..<count).map { index in
        let start = index * Self.stride
        func number(_ range: Range<Int>) -> UInt32 {
          range.reversed().reduce(0) { $0 << 8 | UInt32(bytes[start + $1]) }
        }
        return Instruction(
          code: UInt16(number(0..<2)), jt: bytes[start + 2], jf: bytes[start + 3], k: number(4..<8))
      })
  }

  /// The bytes that ``init(raw:)`` reads.
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(instructions.count * Self.stride)
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
