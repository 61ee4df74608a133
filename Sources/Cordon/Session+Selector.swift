import CordonShims
import TrapEngine

extension Session {
  /// The calling thread's selector byte: 0 allows all of its calls untested, 1 has them dispatched (the state after
  /// activation). Nil where the mechanism has none. Valid while the thread lives; for this thread only.
  ///
  /// With ``Mechanism/sudSelector`` a thread that goes back and forth between guest and native code sets it at each
  /// crossing. Code that never touches it behaves as under any other mechanism, but pays for a trap at every native call.
  public var selector: UnsafeMutablePointer<UInt8>? {
    guard mechanism == .sudSelector, isActive, let byte = cordon_thread_selector() else { return nil }
    return UnsafeMutablePointer(mutating: byte)
  }

  /// Runs `body`, which must not run guest code, with the calling thread's selector at allow; under a mechanism without a
  /// selector it just runs it.
  public func withSelectorAllowing<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let selector else { return try body() }
    let before = selector.pointee
    selector.pointee = 0
    defer { selector.pointee = before }
    return try body()
  }
}
