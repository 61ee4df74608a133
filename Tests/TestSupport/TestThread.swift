import Glibc
import Synchronization

/// A thread of pthread_create's that runs a closure.
package final class TestThread: Sendable {
  private let body: @Sendable () -> Int
  private let state = Mutex<(thread: pthread_t, result: Int)>((0, 0))

  package init(_ body: @escaping @Sendable () -> Int) {
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
  package func join() -> Int {
    pthread_join(state.withLock { $0.thread }, nil)
    return state.withLock { $0.result }
  }
}
