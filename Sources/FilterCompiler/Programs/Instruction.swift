/// One classic BPF instruction, laid out as `struct sock_filter`: 8 bytes, in the machine's byte order.
public struct Instruction: Hashable, Sendable {
  /// The opcode.
  public var code: UInt16
  /// How many instructions to skip where a condition holds.
  public var jt: UInt8
  /// How many instructions to skip where it does not.
  public var jf: UInt8
  /// The constant.
  public var k: UInt32

  /// An instruction of these fields, whatever they mean; ``Program`` checks.
  public init(code: UInt16, jt: UInt8 = 0, jf: UInt8 = 0, k: UInt32) {
    self.code = code
    self.jt = jt
    self.jf = jf
    self.k = k
  }
}
