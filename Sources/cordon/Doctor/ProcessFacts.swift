import CLinux
import Cordon
import Glibc
import SystemPackage

/// Facts about this process and its user.
enum ProcessFacts {
  static func all(_ status: ProcessStatus) -> [Fact] {
    [
      privileges(status), attached(status), signal(status),
      ptrace(status, scope: KernelFile.line("/proc/sys/kernel/yama/ptrace_scope")), readsMemory(),
      readsFilters(status), countsWaiting(),
    ]
  }

  /// seccomp(2): a filter may be loaded with CAP_SYS_ADMIN, or by who cannot gain privileges any more.
  static func privileges(_ status: ProcessStatus) -> Fact {
    let name = "process.load_filters"
    let title = "may load filters as it is"
    if status.has(.systemAdministration) { return .check(name, title, value: "has CAP_SYS_ADMIN", reason: nil) }
    if status.number("NoNewPrivs") == 1 { return .check(name, title, value: "no_new_privs is set", reason: nil) }
    return .check(
      name, title, reason: "it has neither CAP_SYS_ADMIN nor no_new_privs",
      remedy: "Cordon sets no_new_privs where it is needed; set-user-id programs then start without their privileges")
  }

  static func attached(_ status: ProcessStatus) -> Fact {
    let name = "process.filters"
    let title = "filters attached already"
    // The number stands there since Linux 5.9; before, only whether there are any.
    let count = status["Seccomp_filters"] ?? (status.number("Seccomp") == 2 ? "at least 1" : "0")
    return .value(
      name, title, count == "0" ? "0" : "\(count); each is run at every call, and the strictest answer wins")
  }

  /// The kernel kills a thread that traps while SIGSYS is blocked or ignored.
  static func signal(_ status: ProcessStatus) -> Fact {
    let bit = Int(SIGSYS) - 1
    let blocked = status.bit(bit, of: "SigBlk") == true
    let ignored = status.bit(bit, of: "SigIgn") == true
    let name = "process.sigsys"
    let title = "SIGSYS neither blocked nor ignored"
    if blocked {
      return .check(
        name, title, reason: "it is blocked since before this program began",
        remedy: "unblock it in what starts this program (sigprocmask)")
    }
    return .check(
      name, title, reason: ignored ? "it is ignored since before this program began" : nil,
      remedy: "start this program through env --default-signal=SYS")
  }

  /// ptrace(2) and the Yama module's restrictions of it.
  static func ptrace(_ status: ProcessStatus, scope: String?) -> Fact {
    let name = "process.ptrace"
    let title = "may trace processes of this user"
    let remedy = "sysctl kernel.yama.ptrace_scope=0, or run with CAP_SYS_PTRACE"
    switch scope {
    case nil, "0": return .check(name, title, reason: nil)
    case "3":
      return .check(
        name, title, reason: "kernel.yama.ptrace_scope is 3: nobody may, until the next boot",
        remedy: "reboot without it")
    case _ where status.has(.ptrace): return .check(name, title, value: "has CAP_SYS_PTRACE", reason: nil)
    case "1":
      return .check(
        name, title, reason: "kernel.yama.ptrace_scope is 1: only its own children may be traced", remedy: remedy)
    case let other?: return .check(name, title, reason: "kernel.yama.ptrace_scope is \(other)", remedy: remedy)
    }
  }

  /// process_vm_readv(2), tried on this process itself.
  private static func readsMemory() -> Fact {
    let source: UInt64 = 0x636f_7264_6f6e
    var copy: UInt64 = 0
    let size = MemoryLayout<UInt64>.size
    let result = withUnsafePointer(to: source) { from in
      withUnsafeMutablePointer(to: &copy) { to in
        var local = iovec(iov_base: to, iov_len: size)
        var remote = iovec(iov_base: UnsafeMutableRawPointer(mutating: from), iov_len: size)
        return withUnsafePointer(to: &local) { local in
          withUnsafePointer(to: &remote) { remote in
            linux_call(
              Int(SYS_process_vm_readv), Int(getpid()), Int(bitPattern: local), 1, Int(bitPattern: remote), 1, 0)
          }
        }
      }
    }
    return .check(
      "process.vm_readv", "process_vm_readv reads memory", since: "3.2",
      reason: result < 0
        ? "the kernel answers \(Errno(rawValue: Int32(-result)))" : copy == source ? nil : "it reads something else",
      remedy: "build the kernel with CONFIG_CROSS_MEMORY_ATTACH, or allow it in the container's profile")
  }

  /// PTRACE_SECCOMP_GET_FILTER (ptrace(2)), for `cordon dump`.
  static func readsFilters(_ status: ProcessStatus) -> Fact {
    let name = "process.get_filter"
    let title = "may read the filters of other processes"
    let remedy = "run as root; the kernel must have CONFIG_CHECKPOINT_RESTORE"
    guard status.has(.systemAdministration) else {
      return .check(name, title, since: "4.4", reason: "it lacks CAP_SYS_ADMIN", remedy: remedy)
    }
    let isFiltered = status.number("Seccomp").map { $0 != 0 } ?? false
    return .check(
      name, title, since: "4.4", reason: isFiltered ? "it is under filters itself" : nil, remedy: remedy)
  }

  /// How long a thread waited for a processor, by which the comparator knows that it was disturbed.
  private static func countsWaiting() -> Fact {
    .check(
      "process.schedstat", "time spent waiting for a processor is counted", since: "2.6.9",
      reason: KernelFile.line("/proc/thread-self/schedstat") == nil ? "there is no /proc/thread-self/schedstat" : nil,
      remedy: "build the kernel with CONFIG_SCHED_INFO; comparisons cannot tell otherwise how much they were disturbed")
  }
}
