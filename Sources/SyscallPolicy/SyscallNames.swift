internal import CLibSeccomp
public import FilterCompiler

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// System call names and numbers, from libseccomp's tables.
///
/// The library names architectures by the values of `seccomp_data.arch`, as ``AuditArchitecture`` does, and has one
/// more value of its own for x32, whose calls carry x86-64's value and a bit in the number.
public enum SyscallNames {
  private static let x32Bit: UInt32 = 0x4000_0000
  /// `SCMP_ARCH_X32`.
  private static let x32Token: UInt32 = 0x4000_003e

  /// The name of the system call `number` of `architecture`; nil where libseccomp knows no such call, or not
  /// the architecture. Calls of the x32 interface have `x32:` in front of theirs.
  ///
  /// The corresponding C function is `seccomp_syscall_resolve_num_arch`.
  public static func name(of number: UInt32, on architecture: AuditArchitecture) -> String? {
    guard AuditArchitecture.known.contains(architecture) else { return nil }
    // What is negative as an int is a pseudo number of the library's, not the kernel's.
    guard let number = Int32(exactly: number) else { return nil }
    let isX32 = architecture == .x86_64 && UInt32(number) & x32Bit != 0
    guard
      let name = seccomp_syscall_resolve_num_arch(isX32 ? x32Token : architecture.rawValue, number)
    else { return nil }
    // The library hands over memory of its own from malloc.
    defer { free(name) }
    return (isX32 ? "x32:" : "") + String(cString: name)
  }

  /// The number of the system call `name` on `architecture`; nil where libseccomp does not know the name, or the
  /// architecture has no such call. `x32:` in front of a name means the call of the x32 interface.
  ///
  /// The corresponding C function is `seccomp_syscall_resolve_name_arch`. It answers with negative numbers of its own
  /// for calls that there are not, and for those of i386 that can be made through `socketcall` or `ipc` too, though they
  /// have numbers: 359 is `socket` since Linux 4.3.
  public static func number(of name: String, on architecture: AuditArchitecture) -> UInt32? {
    guard AuditArchitecture.known.contains(architecture) else { return nil }
    let isX32 = architecture == .x86_64 && name.hasPrefix("x32:")
    let (token, plain) = isX32 ? (x32Token, String(name.dropFirst(4))) : (architecture.rawValue, name)
    let found = seccomp_syscall_resolve_name_arch(token, plain)
    if let number = UInt32(exactly: found) { return number }
    guard architecture == .i386, found != __NR_SCMP_ERROR else { return nil }
    return (0..<1024).first { Self.name(of: $0, on: architecture) == plain }
  }
}
