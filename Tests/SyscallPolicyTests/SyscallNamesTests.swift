import FilterCompiler
import SyscallPolicy
import Testing

@Suite struct SyscallNamesTests {
  /// Numbers from the kernel's tables (arch/*/entry/syscalls, include/uapi/asm-generic/unistd.h).
  @Test(arguments: [
    (AuditArchitecture.x86_64, "getppid", UInt32(110)), (.x86_64, "read", 0), (.x86_64, "rt_sigaction", 13),
    (.x86_64, "seccomp", 317), (.i386, "getppid", 64), (.i386, "socketcall", 102), (.aarch64, "getppid", 173),
    (.riscv64, "openat", 56), (.x86_64, "x32:getpid", 0x4000_0027), (.i386, "socket", 359),
  ])
  func knowsTheNumbersOfEachArchitecture(architecture: AuditArchitecture, name: String, number: UInt32) {
    #expect(SyscallNames.number(of: name, on: architecture) == number)
    #expect(SyscallNames.name(of: number, on: architecture) == name)
  }

  @Test func aPseudoNumberIsNoNumber() {
    // libseccomp answers -101 and the like for calls that only other architectures have.
    #expect(SyscallNames.number(of: "socketcall", on: .x86_64) == nil)
    #expect(SyscallNames.number(of: "open", on: .aarch64) == nil)
    // i386 has it in socketcall only.
    #expect(SyscallNames.number(of: "accept", on: .i386) == nil)
    #expect(SyscallNames.name(of: UInt32(bitPattern: -101), on: .x86_64) == nil)
  }

  @Test func theUnknownHasNeitherNameNorNumber() {
    #expect(SyscallNames.number(of: "no_such_call", on: .x86_64) == nil)
    #expect(SyscallNames.number(of: "", on: .x86_64) == nil)
    #expect(SyscallNames.name(of: 100_000, on: .x86_64) == nil)
    #expect(SyscallNames.name(of: .max, on: .x86_64) == nil)
    #expect(SyscallNames.name(of: 0, on: AuditArchitecture(rawValue: 0)) == nil)
    #expect(SyscallNames.number(of: "read", on: AuditArchitecture(rawValue: 1)) == nil)
  }
}
