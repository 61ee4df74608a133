import CordonShims
import SystemPackage

/// A value that one thread at a time may use.
///
/// Unlike a mutex it knows its holder: a thread that holds it and traps meanwhile (its own allocation, where libc's calls
/// trap) is told so when the hook wants it too. While it is held the thread's signals wait, so that no handler wants it.
final class ChangeLock<Value>: @unchecked Sendable {
  private let lock: UnsafeMutablePointer<CordonChangeLock>
  private var value: Value
  private var isKept = false

  init(_ value: Value) {
    lock = .allocate(capacity: 1)
    lock.initialize(to: CordonChangeLock(word: 0))
    self.value = value
  }

  deinit { if !isKept { lock.deallocate() } }

  /// - Throws: ``SessionError/changeInProgress`` where the calling thread holds it, or nobody is left who could give it
  ///   back; what `body` throws.
  func withLock<Result>(_ body: (inout Value) throws(SessionError) -> Result) throws(SessionError) -> Result {
    var mask: UInt64 = 0
    guard cordon_change_lock(lock, &mask) == 0 else { throw .changeInProgress }
    defer { cordon_change_unlock(lock, &mask) }
    return try body(&value)
  }

  /// The value where nobody else can have it any more.
  var unguarded: Value { value }

  /// Has fork(3) wait until nobody holds the lock. For a session that lives as long as the process.
  func keepOverFork() throws(SessionError) {
    let result = cordon_change_lock_keep_over_fork(lock)
    guard result == 0 else { throw .memory(Errno(rawValue: -result)) }
    isKept = true
  }
}
