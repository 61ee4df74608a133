import CLinux
import Glibc

/// Something tried in a child that is made for it, so that nothing of it stays with this process.
enum ForkedTrial {
  /// How a child ended.
  enum End: Equatable {
    case status(Int32)
    case signal(Int32)
    /// There was no child.
    case notMade
  }

  /// Makes a child by fork(2) itself, which does this and ends with its result. It may make system calls and little else:
  /// other threads of this process are not there.
  static func run(_ body: () -> Int32) -> End {
    let child = pid_t(linux_call(Int(SYS_fork), 0, 0, 0, 0, 0, 0))
    guard child >= 0 else { return .notMade }
    if child == 0 {
      // Whatever it tries must not hang the one who asks.
      alarm(5)
      _exit(body())
    }
    return end(of: child)
  }

  /// Makes a child that waits, has this done to it, and ends it.
  static func with<Result>(_ body: (pid_t) -> Result) -> Result? {
    let child = pid_t(linux_call(Int(SYS_fork), 0, 0, 0, 0, 0, 0))
    guard child >= 0 else { return nil }
    if child == 0 {
      alarm(5)
      while true { pause() }
    }
    let result = body(child)
    kill(child, SIGKILL)
    // A tracer may see more of it than its end.
    while case .signal(let signal) = end(of: child), signal == 0x7f {}
    return result
  }

  private static func end(of child: pid_t) -> End {
    var status: Int32 = 0
    while waitpid(child, &status, 0x4000_0000) < 0 { guard errno == EINTR else { return .notMade } }
    return status & 0x7f == 0 ? .status(status >> 8 & 0xff) : .signal(status & 0x7f)
  }
}
