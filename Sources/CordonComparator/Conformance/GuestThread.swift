import Glibc
import Synchronization

/// A thread that does nothing but call the guest once.
final class GuestThread: Sendable {
  private let entry: UInt
  private let result = Atomic<Int>(0)

  private init(entry: UInt) { self.entry = entry }

  /// What the guest returns to a thread that is made now; nil where none can be made.
  static func call(_ entry: UInt) -> Int? {
    let work = GuestThread(entry: entry)
    let context = Unmanaged.passUnretained(work)
    var thread = pthread_t()
    let started = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<GuestThread>.fromOpaque(context)._withUnsafeGuaranteedRef { work in
          let call = unsafeBitCast(work.entry, to: (@convention(c) () -> Int).self)
          work.result.store(call(), ordering: .releasing)
        }
        return nil
      }, context.toOpaque())
    guard started == 0 else { return nil }
    pthread_join(thread, nil)
    return withExtendedLifetime(work) { work.result.load(ordering: .acquiring) }
  }
}
