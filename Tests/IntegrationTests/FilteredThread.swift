import Glibc
import GuestCode
import TestSupport

/// A thread that has loaded a filter of its own, which allows everything, and waits.
final class FilteredThread: Sendable {
  let id: Int32
  private let done = Signpost()
  private let thread: TestThread

  /// - Parameter last: what it does when it is to end.
  init(last: @escaping @Sendable () -> Int = { 0 }) {
    let ready = Signpost()
    let done = done
    nonisolated(unsafe) let id = sharedMemory(of: Int32.self)
    thread = TestThread {
      id.pointee = gettid()
      nativeCall(Number.prctl, 38, 1)
      let result = GuestFilter(allowingBy: 1).load()
      ready.open()
      done.wait()
      return result == 0 ? last() : result
    }
    ready.wait()
    self.id = id.pointee
  }

  /// Has it end. Its answer: why the filter could not be loaded, or that of what it did last.
  func end() -> Int {
    done.open()
    return thread.join()
  }
}
