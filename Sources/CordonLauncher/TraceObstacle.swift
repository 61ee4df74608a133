import Cordon
import Glibc
import SystemPackage

/// What keeps a process from being traced, for people.
enum TraceObstacle {
  /// A sentence with a blank before it, or nothing.
  static func sentence(of thread: Int32) -> String {
    if let tracer = StatusFile.field("TracerPid", of: thread), tracer != "0" {
      return "; process \(tracer) traces it already, and a program has one tracer at most"
    }
    switch KernelFile.line("/proc/sys/kernel/yama/ptrace_scope") {
    case "2": return "; kernel.yama.ptrace_scope is 2: tracing needs CAP_SYS_PTRACE"
    case "3": return "; kernel.yama.ptrace_scope is 3: nothing may be traced"
    case "1": return "; kernel.yama.ptrace_scope is 1: only a process's ancestors may trace it"
    default: break
    }
    return "; it may have other privileges than cordon, or a security module forbids it"
  }
}
