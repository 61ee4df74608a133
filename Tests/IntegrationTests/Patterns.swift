import Glibc
import GuestCode
import Testing

/// Values for the general registers, no two alike.
enum RegisterPatterns {
  /// Sets of flags that user code can have: none, carry, parity, adjust, zero, sign, direction, overflow, ID; and all.
  static let flags: [UInt64] = [0, 0x1, 0x4, 0x10, 0x40, 0x80, 0x400, 0x800, 0x20_0000, 0x20_0cd5]
  static let changeableFlags: UInt64 = 0x20_0cd5

  static func file(flags: UInt64, number: Int = 0) -> GuestRegisterFile {
    var file = GuestRegisterFile()
    withUnsafeMutableBytes(of: &file) { bytes in
      for offset in stride(from: 0, to: 256, by: 8) {
        bytes.storeBytes(
          of: 0x1122_3344_5566_7700 &* UInt64(offset + 9) ^ UInt64(offset), toByteOffset: offset, as: UInt64.self)
      }
    }
    file.rax = number == 0 ? 0x0102_0304_0506_0708 : UInt64(number)
    file.flags = flags | 0x202  // the reserved bit, and interrupts
    return file
  }

  static let names =
    [
      "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rax", "flags",
    ] + (0..<16).map { "the red zone's word \($0)" } + ["rsp"]
}

/// Expects every register but `changed`, the flags, the red zone and the stack pointer to be after what they were before.
func checkUnchanged(
  _ registers: GuestRegisters, except changed: Set<String>, at location: SourceLocation = #_sourceLocation
) {
  for difference in differences(registers, except: changed) {
    Issue.record("\(difference)", sourceLocation: location)
  }
}

/// What of them is not after as it was before, in words.
func differences(_ registers: GuestRegisters, except changed: Set<String>) -> [String] {
  let before = words(of: registers.before)
  let after = words(of: registers.after)
  return RegisterPatterns.names.enumerated().compactMap { index, name in
    // Of the flags, only those that user code can set.
    let mask = name == "flags" ? RegisterPatterns.changeableFlags : UInt64.max
    guard !changed.contains(name), after[index] & mask != before[index] & mask else { return nil }
    return "\(name): \(String(after[index], radix: 16)) instead of \(String(before[index], radix: 16))"
  }
}

private func words(of file: GuestRegisterFile) -> [UInt64] {
  withUnsafeBytes(of: file) { Array($0.bindMemory(to: UInt64.self)) }
}

/// Values for the floating-point and vector state.
enum VectorPatterns {
  static func file() -> GuestVectorFile {
    var file = GuestVectorFile()
    withUnsafeMutableBytes(of: &file) { bytes in
      for offset in 0..<2112 { bytes[offset] = UInt8(truncatingIfNeeded: offset &* 37 &+ offset >> 8 &+ 1) }
      for register in 0..<8 {
        // An ordinary number: leading bit of the significand set, exponent around that of 1.
        for offset in 0..<7 { bytes[2112 + register * 10 + offset] = UInt8(16 * register + offset + 1) }
        bytes[2112 + register * 10 + 7] = 0x80 | UInt8(register)
        bytes[2112 + register * 10 + 8] = UInt8(0xf0 + register)
        bytes[2112 + register * 10 + 9] = 0x3f
      }
    }
    // Everything masked; flush to zero, denormals are zero, rounding up, and all the sticky flags.
    file.mxcsr = 0xdfff & ~0x2000
    // Everything masked, single precision, rounding down.
    file.x87_control = 0x047f
    return file
  }
}

/// Expects the vector state after to be that before, as far as this machine has it.
func checkUnchanged(_ vectors: UnsafeMutablePointer<GuestVectors>, at location: SourceLocation = #_sourceLocation) {
  let wide = guest_has_avx512() != 0
  let before = bytes(of: vectors.pointee.before)
  let after = bytes(of: vectors.pointee.after)
  for register in 0..<(wide ? 32 : 16) {
    let place = register * 64..<register * 64 + (wide ? 64 : 16)
    check(Array(after[place]), Array(before[place]), "vector register \(register)", at: location)
  }
  if wide { check(Array(after[2048..<2112]), Array(before[2048..<2112]), "k0 to k7", at: location) }
  for register in 0..<8 {
    let place = 2112 + register * 10..<2122 + register * 10
    check(Array(after[place]), Array(before[place]), "st(\(register))", at: location)
  }
  check(vectors.pointee.after.mxcsr, vectors.pointee.before.mxcsr, "mxcsr", at: location)
  check(vectors.pointee.after.x87_control, vectors.pointee.before.x87_control, "the x87 control word", at: location)
}

private func bytes(of file: GuestVectorFile) -> [UInt8] { withUnsafeBytes(of: file) { Array($0) } }

/// Whether the machine has AVX-512; says so where it has not.
func hasAVX512() -> Bool {
  guard guest_has_avx512() == 0 else { return true }
  print("zmm0-31 and k0-7 are not tested here, since this CPU has no AVX-512; xmm0-15 are")
  return false
}
