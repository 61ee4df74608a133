import CLinux
import Glibc
import SystemPackage

/// Facts about ptrace(2), tried on a child: the mechanisms seccomp-trace, ptrace-syscall, ptrace-sysemu and strace rest on
/// it, and `cordon run` for a moment whenever a program is executed.
enum TraceFacts {
  static func all() -> [Fact] { ForkedTrial.with(facts) ?? [] }

  private static let setOptions = 0x4200
  private static let seize = 0x4206
  private static let interrupt = 0x4207
  private static let getSignalMask = 0x420a
  private static let emulate = 31

  private static func facts(of child: pid_t) -> [Fact] {
    func trace(_ request: Int, _ address: Int = 0, _ data: Int = 0) -> Int {
      linux_call(Int(SYS_ptrace), request, Int(child), address, data, 0, 0)
    }
    let seized = trace(seize)
    var facts = [fact("seize", "a process can be traced without being stopped", "3.4", "PTRACE_SEIZE", seized)]
    guard seized == 0, trace(interrupt) == 0 else { return facts }
    var status: Int32 = 0
    waitpid(child, &status, 0x4000_0000)
    var mask: UInt64 = 0
    let masked = withUnsafeMutablePointer(to: &mask) {
      trace(getSignalMask, MemoryLayout<UInt64>.size, Int(bitPattern: $0))
    }
    facts += [
      fact(
        "exec", "a tracer can stop a process as it executes", "2.5.46", "PTRACE_O_TRACEEXEC", trace(setOptions, 0, 0x10)
      ),
      fact(
        "seccomp", "a filter can stop a process for its tracer", "3.5", "PTRACE_O_TRACESECCOMP",
        trace(setOptions, 0, 0x80)),
      fact(
        "exitkill", "what is traced can be ended with its tracer", "3.8", "PTRACE_O_EXITKILL",
        trace(setOptions, 0, 1 << 20)),
      fact("sigmask", "a tracer can hold signals back", "3.11", "PTRACE_GETSIGMASK", masked),
      fact("sysemu", "a tracer can leave calls out", "2.6.14", "PTRACE_SYSEMU", trace(emulate)),
    ]
    return facts
  }

  private static func fact(_ name: String, _ title: String, _ since: String, _ value: String, _ result: Int) -> Fact {
    .check(
      "trace.\(name)", title, since: since, value: value, reason: reason(against: result),
      remedy: remedy(for: result, since))
  }

  /// What an answer other than 0 means.
  static func reason(against result: Int) -> String? {
    switch Errno(rawValue: Int32(-result)) {
    case _ where result == 0: nil
    case .notPermitted: "it is forbidden: by Yama's ptrace_scope, a filter around this process, or a container"
    case .noFunction: "this process has no ptrace(2): a filter around it hides it"
    case .invalidArgument, .ioError: "this kernel does not know it"
    case let errno: "the kernel answers \(errno)"
    }
  }

  private static func remedy(for result: Int, _ since: String) -> String {
    switch Errno(rawValue: Int32(-result)) {
    case .invalidArgument, .ioError: "use Linux \(since) or later"
    default: "sysctl kernel.yama.ptrace_scope=0, or allow ptrace(2) in the container's profile"
    }
  }
}
