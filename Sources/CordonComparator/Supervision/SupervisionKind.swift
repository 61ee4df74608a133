/// How a supervisor gets the calls of the process that it supervises.
package enum SupervisionKind: String, Sendable, CaseIterable {
  /// The guest's calls, as notifications of a filter (`SECCOMP_RET_USER_NOTIF`).
  case notification = "user-notif"
  /// Every call, stopped at entry and at exit (`PTRACE_SYSCALL`).
  case systemCalls = "ptrace-syscall"
  /// Every call, stopped once and not done (`PTRACE_SYSEMU`).
  case emulation = "ptrace-sysemu"
  /// The guest's calls, as a filter's trace events (`SECCOMP_RET_TRACE`).
  case traceEvents = "seccomp-trace"

  var usesPtrace: Bool { self != .notification }

  /// What the filter does with the guest's calls; nil where there is no filter.
  var takesFilter: Bool { self == .notification || self == .traceEvents }
}
