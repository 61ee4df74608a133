import CordonShims
import Glibc
package import TrapEngine

/// What /proc/self/task says of this process's threads (proc(5)).
package enum ThreadStatus {
  /// The ids of all threads, the caller's among them.
  static func allThreads() -> [Int32] {
    let threads = KernelFile.names(in: "/proc/self/task").compactMap { Int32($0) }
    return threads.isEmpty ? [cordon_thread_id()] : threads
  }

  /// The threads that block SIGSYS: the caller, or all.
  ///
  /// libc blocks every signal for a moment while it makes a thread or a process, so another thread counts only if it
  /// blocks still after a while in which it has slept; one that wants to run may have come by no processor since then.
  /// Needs the gate.
  package static func threadsBlockingSIGSYS(
    inAllThreads all: Bool, patience: CordonPatience = .usual
  ) -> [Int32] {
    let caller = cordon_thread_id()
    let end = ContinuousClock.now + .milliseconds(Int(patience.starved_ms))
    var blocking = (all ? allThreads() : [caller]).filter { blocksSIGSYS($0) != CordonSigsysOpen }
    // By thread: at how many looks, a millisecond apart at least, it slept.
    var slept: [Int32: UInt32] = [:]
    while blocking.contains(where: { $0 != caller && slept[$0, default: 0] < patience.silent_ms }), .now < end {
      usleep(1_000)
      blocking = blocking.filter { thread in
        let state = blocksSIGSYS(thread)
        if state == CordonSigsysBlockedAsleep { slept[thread, default: 0] += 1 }
        return state != CordonSigsysOpen
      }
    }
    return blocking
  }

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

  private static func blocksSIGSYS(_ thread: Int32) -> CordonSigsysState {
    guard thread == cordon_thread_id() else { return cordon_thread_blocks_sigsys(thread) }
    var mask = sigset_t()
    let isBlocked = pthread_sigmask(SIG_BLOCK, nil, &mask) == 0 && sigismember(&mask, SIGSYS) == 1
    return isBlocked ? CordonSigsysBlocked : CordonSigsysOpen
  }
}
