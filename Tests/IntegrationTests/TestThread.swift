import Glibc
import Synchronization

/// A thread of pthread_create's that runs a closure.
final class TestThread: Sendable {
  private let body: @Sendable () -> Int
  private let state = Mutex<(thread: pthread_t, result: Int)>((0, 0))

  init(_ body: @escaping @Sendable () -> Int) {
    self.body = body
    let pointer = Unmanaged.passRetained(self).toOpaque()
    state.withLock { state in
      let result = pthread_create(
        &state.thread, nil,
        { pointer in
          guard let pointer else { return nil }
          let mine = Unmanaged<TestThread>.fromOpaque(pointer).takeRetainedValue()
          let result = mine.body()
          mine.state.withLock { $0.result = result }
          return nil
        }, pointer)
      precondition(result == 0, "pthread_create: \(result)")
    }
  }

  /// Waits for the closure's end; what it returned.
  @discardableResult
  func join() -> Int {
    pthread_join(state.withLock { $0.thread }, nil)
    return state.withLock { $0.result }
  }
}

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

/// A thread whose id is known from the start.
struct IdentifiedThread {
  let thread: TestThread
  let id: Int32

  init(_ body: @escaping @Sendable () -> Int) {
    nonisolated(unsafe) let id = sharedMemory(of: Int32.self)
    thread = TestThread {
      id.pointee = gettid()
      return body()
    }
    while id.pointee == 0 { usleep(100) }
    self.id = id.pointee
  }
}
