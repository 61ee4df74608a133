import Glibc
import Synchronization
import TestSupport

/// Something that threads wait for.
final class Signpost: Sendable {
  private let passed = Atomic<Bool>(false)

  var isOpen: Bool { passed.load(ordering: .acquiring) }
  func open() { passed.store(true, ordering: .releasing) }
  func wait() { while !isOpen { usleep(500) } }
}

/// Sends `signal` to the calling thread once that waits in the call `number`.
func signalWhenBlocked(_ signal: Int32, in number: Int) -> TestThread {
  let (thread, id) = (pthread_self(), gettid())
  return TestThread {
    waitUntilBlocked(id, in: number)
    return Int(pthread_kill(thread, signal))
  }
}

/// Returns when the kernel shows the thread asleep in the call `number`.
func waitUntilBlocked(_ thread: Int32, in number: Int) {
  while !isBlocked(thread, in: number) { usleep(1000) }
}

/// Whether the kernel shows the thread asleep in the call `number`.
func isBlocked(_ thread: Int32, in number: Int) -> Bool {
  linesOfFile("/proc/self/task/\(thread)/syscall").first?.hasPrefix("\(number) ") == true
}
