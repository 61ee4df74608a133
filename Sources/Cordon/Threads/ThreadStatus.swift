import CordonShims
import Glibc
import TrapEngine

/// What /proc/self/task says of this process's threads (proc(5)).
enum ThreadStatus {
  /// The ids of all threads, the caller's among them.
  static func allThreads() -> [Int32] {
    let threads = KernelFile.names(in: "/proc/self/task").compactMap { Int32($0) }
    return threads.isEmpty ? [cordon_thread_id()] : threads
  }

  /// The threads that block SIGSYS: the caller, or all.
  ///
  /// libc blocks every signal for a moment while it makes a thread or a process, so another thread counts only if it
  /// still blocks after a while. Needs the gate.
  static func threadsBlockingSIGSYS(inAllThreads all: Bool) -> [Int32] {
    let caller = cordon_thread_id()
    var blocking = (all ? allThreads() : [caller]).filter(blocksSIGSYS)
    for _ in 0..<patience where blocking.contains(where: { $0 != caller }) {
      usleep(1_000)
      blocking = blocking.filter(blocksSIGSYS)
    }
    return blocking
  }

  /// For how many milliseconds a thread may block SIGSYS before it counts.
  private static let patience = 2_000

  /// A thread with more seccomp filters than the caller, which SECCOMP_FILTER_FLAG_TSYNC will refuse; nil where there is
  /// none, or the kernel does not tell (before Linux 5.11).
  static func threadWithMoreFilters() -> Int32? {
    let own = filterCount() ?? 0
    return allThreads().first { (filterCount(of: $0) ?? 0) > own }
  }

  /// How many seccomp filters a thread has; nil when it has ended, or the kernel does not tell (before Linux 5.11).
  static func filterCount(of thread: Int32 = cordon_thread_id()) -> Int? {
    KernelFile.field("Seccomp_filters", of: "/proc/self/task/\(thread)/status").flatMap { Int($0) }
  }

  private static func blocksSIGSYS(_ thread: Int32) -> Bool {
    if thread == cordon_thread_id() {
      var mask = sigset_t()
      return pthread_sigmask(SIG_BLOCK, nil, &mask) == 0 && sigismember(&mask, SIGSYS) == 1
    }
    return cordon_thread_blocks_sigsys(thread) != 0
  }
}
