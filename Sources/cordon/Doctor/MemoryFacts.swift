import CLinux
import Glibc
import SystemPackage

/// Facts about address space and stacks.
enum MemoryFacts {
  /// The size of a session's arena.
  private static let reservation = 4 << 30
  /// AT_MINSIGSTKSZ (getauxval(3)).
  private static let minimumSignalStack: UInt = 51

  static func all() -> [Fact] { [arena(), signalStack()] }

  private static func arena() -> Fact {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    let base = mmap(nil, reservation, PROT_NONE, flags, -1, 0)
    let refused = base == MAP_FAILED ? Errno(rawValue: errno) : nil
    if refused == nil { munmap(base, reservation) }
    return .check(
      "process.arena", "address space for an arena of 4 GiB",
      reason: refused.map { "it cannot be reserved: \($0)\(limit())" },
      remedy: "ulimit -v unlimited; regions are mapped without an arena otherwise")
  }

  private static func limit() -> String {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
      return ""
    }
    return ", and RLIMIT_AS is \(limit.rlim_cur >> 10) KiB"
  }

  private static func signalStack() -> Fact {
    let size = getauxval(minimumSignalStack)
    return .value(
      "process.minimum_signal_stack", "smallest alternate stack for a signal",
      size > 0 ? "\(size) bytes" : "unknown: the kernel tells since Linux 5.14")
  }
}
