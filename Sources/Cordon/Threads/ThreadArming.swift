import CordonShims
import Glibc
import SystemPackage
import TrapEngine

/// Arms syscall user dispatch in threads other than the caller. The kernel has it per thread and clears it in new ones.
enum ThreadArming {
  /// Has every other thread arm itself, and those that are made from now on.
  ///
  /// Following starts first, so a thread made meanwhile arms itself; the list is read again until it shows nobody new.
  static func armOtherThreads() throws(SessionError) {
    guard cordon_threads_follow() == 0 else { throw .threadsNotFollowed }
    // From here on trapped code does not get it blocked.
    _ = cordon_requests_take_signal()
    do throws(SessionError) {
      try rearmOtherThreads()
    } catch {
      if case .threadNotArmed(let thread, _) = error { disarmOtherThreads(but: thread) }
      throw error
    }
  }

  /// Has every other thread arm itself anew, as the engine is configured now. Threads are followed already.
  static func rearmOtherThreads() throws(SessionError) {
    var armed: Set<Int32> = [cordon_thread_id()]
    while true {
      let new = ThreadStatus.allThreads().filter { !armed.contains($0) }
      if new.isEmpty { return }
      try arm(new)
      armed.formUnion(new)
    }
  }

  /// Has other threads arm themselves, as the engine is configured. Those that have ended need nothing.
  static func arm(_ threads: [Int32]) throws(SessionError) {
    let silence = cordon_dispatch_arm_threads(threads, UInt64(threads.count), .usual)
    guard silence.error == 0 else {
      throw .threadNotArmed(silence.thread, Errno(rawValue: Int32(-silence.error)))
    }
  }

  /// Undoes ``armOtherThreads()``, as far as it got: to where `silent` did not answer. That one disarms itself when it
  /// gets to answering.
  static func disarmOtherThreads(but silent: Int32? = nil) {
    stopFollowing()
    cordon_dispatch_give_up()
    let threads = ThreadStatus.allThreads().filter { $0 != cordon_thread_id() && $0 != silent }
    _ = cordon_dispatch_disarm_threads(threads, UInt64(threads.count), .usual)
  }

  static func stopFollowing() { cordon_threads_unfollow() }
}
