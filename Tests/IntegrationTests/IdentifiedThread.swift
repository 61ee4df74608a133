import Glibc
import TestSupport

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
