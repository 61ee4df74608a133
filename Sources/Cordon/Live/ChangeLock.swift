import CordonShims
import SystemPackage

/// A value that one thread at a time may use.
///
/// Unlike a mutex it knows its holder: a thread that holds it and traps meanwhile (its own allocation, where libc's calls
/// trap) is told so when the hook wants it too. While it is held the thread's signals wait, so that no handler wants it.
/// Its holder works on a stack of the lock's own: who interrupts other code, in a hook, has little.
final class ChangeLock<Value>: @unchecked Sendable {
  private let lock: UnsafeMutablePointer<CordonChangeLock>
  private var value: Value
  private var isKept = false

  /// Needs the gate.
  /// - Throws: ``SessionError/memory(_:)`` where no stack can be mapped for the holder.
  init(_ value: Value) throws(SessionError) {
    var new = CordonChangeLock()
    let result = cordon_change_lock_init(&new)
    guard result == 0 else { throw .memory(Errno(rawValue: Int32(-result))) }
    lock = .allocate(capacity: 1)
    lock.initialize(to: new)
    self.value = value
  }

  deinit {
    guard !isKept else { return }
    cordon_change_lock_destroy(lock)
    lock.deallocate()
  }

  /// - Throws: ``SessionError/changeInProgress`` where the calling thread holds it, or nobody is left who could give it
  ///   back; what `body` throws.
  func withLock<Result>(_ body: (inout Value) throws(SessionError) -> Result) throws(SessionError) -> Result {
    var mask: UInt64 = 0
    guard cordon_change_lock(lock, &mask) == 0 else { throw .changeInProgress }
    defer { cordon_change_unlock(lock, &mask) }
    var outcome = Swift.Result<Result, SessionError>.failure(.changeInProgress)
    withoutActuallyEscaping(body) { body in
      var work = {
        do throws(SessionError) {
          outcome = .success(try body(&self.value))
        } catch { outcome = .failure(error) }
      }
      withUnsafeMutablePointer(to: &work) { cordon_change_run(lock, perform, $0) }
    }
    return try outcome.get()
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

/// Calls the closure that `work` points to.
private let perform: @convention(c) (UnsafeMutableRawPointer?) -> Void = { work in
  work?.assumingMemoryBound(to: (() -> Void).self).pointee()
}
