import Synchronization

/// A thread that does nothing but call the guest once.
final class GuestThread: Sendable {
  private let result = Atomic<Int>(0)

  private init() {}

  /// What the guest returns to a thread that is made now; nil where none can be made.
  static func call(_ entry: UInt) -> Int? {
    let work = GuestThread()
    let made = NativeThread {
      let call = unsafeBitCast(entry, to: (@convention(c) () -> Int).self)
      work.result.store(call(), ordering: .releasing)
    }
    guard let thread = made else { return nil }
    thread.join()
    return work.result.load(ordering: .acquiring)
  }
}
