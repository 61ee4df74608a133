import Glibc
import LauncherShims

/// The pages of code that the kernel gives every program, the vDSO: the same in all of them, at other addresses.
enum KernelCode {
  /// The address of a `syscall` instruction in another process; nil where it has no vDSO.
  static func callInstruction(of process: Int32) -> UInt64? {
    let offset = cordon_vdso_call()
    guard offset != 0, let address = auxiliaryValue(33, of: process) else { return nil }  // AT_SYSINFO_EHDR
    return address + offset
  }

  /// Whether the kernel keeps the process from being looked at: an ordinary user's whose program may not be read.
  static func isHidden(in process: Int32) -> Bool {
    let file = open("/proc/\(process)/auxv", O_RDONLY | O_CLOEXEC)
    guard file < 0 else {
      close(file)
      return false
    }
    return errno == EACCES || errno == EPERM
  }

  private static func auxiliaryValue(_ key: UInt64, of process: Int32) -> UInt64? {
    let file = open("/proc/\(process)/auxv", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 128) { words in
      let count = read(file, words.baseAddress, 1024) / 8
      return stride(from: 0, to: count - 1, by: 2).first { words[$0] == key }.map { words[$0 + 1] }
    }
  }
}
