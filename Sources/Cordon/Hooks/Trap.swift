import FilterCompiler
public import TrapEngine

/// One trapped call, valid while the hook runs.
///
/// It reads what the kernel reported and the registers that the thread goes on with; nothing in it allocates or locks.
public struct Trap: ~Copyable {
  package let raw: UnsafeMutablePointer<CordonTrap>

  /// The call's number as the kernel read it. Calls of the x32 interface have bit 30 set; with `int $0x80` it is the
  /// i386 number (see ``auditArchitecture``).
  public var number: Int { Int(raw.pointee.number) }

  /// The AUDIT_ARCH_ value of the call: 0xc000003e for `syscall`, 0x40000003 for `int $0x80`.
  public var auditArchitecture: UInt32 { raw.pointee.architecture }

  /// The six arguments, as the kernel's calling convention passes them (syscall(2)): rdi, rsi, rdx, r10, r8, r9; for
  /// `int $0x80` the low halves of rbx, rcx, rdx, rsi, rdi, rbp.
  public var arguments: (UInt, UInt, UInt, UInt, UInt, UInt) {
    let all = raw.pointee.arguments
    return (UInt(all.0), UInt(all.1), UInt(all.2), UInt(all.3), UInt(all.4), UInt(all.5))
  }

  /// The address of the instruction that made the call. (The kernel reports the address after it.)
  public var instructionAddress: UInt { UInt(raw.pointee.instruction_address) }

  /// The region that holds the instruction, as it was when the call trapped; nil where the session's default trapped it.
  public var region: Region? {
    let (index, record) = (raw.pointee.region, raw.pointee.record)
    guard index != UInt32.max, record.serial != 0,
      let range = try? AddressRange(start: record.start, end: record.end)
    else { return nil }
    return Region(index: Int(index), range: range, serial: record.serial)
  }

  /// By which state of the session's regions the call was judged: how often they had been changed.
  public var generation: UInt64 { raw.pointee.generation }

  /// The general registers of the trapped code. RIP is where it goes on and RAX the call's number; what the hook writes
  /// here is what it goes on with.
  public var registers: UnsafeMutablePointer<CordonRegisters> { raw.pointee.registers }

  /// The `ucontext_t` of the signal delivery, for what ``registers`` does not hold: mask, alternate stack, floating point
  /// and vector state.
  public var userContext: UnsafeMutableRawPointer { raw.pointee.user_context }
}
