/// A machine whose code a region map can describe.
public enum Architecture: String, CaseIterable, Sendable, CustomStringConvertible {
  /// x86-64, with instructions of two bytes that make calls.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case x86_64
  /// 64-bit Arm.
  case aarch64
  /// 64-bit RISC-V.
  case riscv64

  /// What `seccomp_data.arch` holds for a native call (`AUDIT_ARCH_*`).
  public var auditArchitecture: UInt32 {
    switch self {
    case .x86_64: AuditArchitecture.x86_64.rawValue
    case .aarch64: AuditArchitecture.aarch64.rawValue
    case .riscv64: AuditArchitecture.riscv64.rawValue
    }
  }

  /// The bytes of a system call instruction: `syscall`, `sysenter` and `int $0x80` have 2; `svc` and `ecall` 4.
  ///
  /// The kernel reports the address after the instruction as `seccomp_data.instruction_pointer`, so this is how
  /// far that lies from where the instruction starts.
  public var instructionLength: UInt64 {
    switch self {
    case .x86_64: 2
    case .aarch64, .riscv64: 4
    }
  }

  /// The first address that user code never has: 2^47 on x86-64 (what a process gets without asking for 57-bit
  /// addresses), 2^52 on AArch64, 2^56 on RISC-V.
  public var userSpaceEnd: UInt64 {
    switch self {
    case .x86_64: 1 << 47
    case .aarch64: 1 << 52
    case .riscv64: 1 << 56
    }
  }

  /// The machine this code was compiled for; x86-64 where Cordon does not know that machine.
  public static let host: Architecture = {
    #if arch(arm64)
      .aarch64
    #elseif arch(riscv64)
      .riscv64
    #else
      .x86_64
    #endif
  }()

  /// The name, as the kernel and `uname -m` have it.
  public var description: String { rawValue }
}
