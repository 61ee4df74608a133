import Glibc

/// What may be done with memory, as mmap(2) and mprotect(2) have it; and whether code in it may make system calls.
public struct Protection: OptionSet, Sendable, Hashable {
  /// The PROT_ bits.
  public let rawValue: Int32

  /// The protection of these bits.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// PROT_READ.
  public static let read = Protection(rawValue: PROT_READ)
  /// PROT_WRITE.
  public static let write = Protection(rawValue: PROT_WRITE)
  /// PROT_EXEC.
  public static let execute = Protection(rawValue: PROT_EXEC)
  /// System calls of code there go to the session's hook. PROT_NOSYSCALL of the memory-map RFC of 2020, which no kernel
  /// has; its value there.
  public static let noSyscall = Protection(rawValue: 0x40)

  /// What the kernel is told.
  var kernelBits: Int32 { rawValue & ~Protection.noSyscall.rawValue }
}
