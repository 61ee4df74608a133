import CordonShims
import TrapEngine

/// A thread's selector byte, which the kernel reads at each of its calls (``Mechanism/sudSelector``). For use by its
/// thread alone, while that lives.
public struct DispatchSelector {
  private let byte: UnsafeMutablePointer<UInt8>

  init(byte: UnsafeMutablePointer<UInt8>) { self.byte = byte }

  /// What becomes of the thread's calls outside the gate.
  public enum State: UInt8, Sendable, Hashable {
    /// They happen, untested: SYSCALL_DISPATCH_FILTER_ALLOW.
    case allow = 0
    /// They are dispatched, and the handler sorts them out: SYSCALL_DISPATCH_FILTER_BLOCK. The state after activation.
    case block = 1
  }

  /// One store or load of a byte; never left out or joined by the compiler.
  @inline(__always)
  public var state: State {
    get { cordon_selector_load(byte) == State.allow.rawValue ? .allow : .block }
    nonmutating set { cordon_selector_store(byte, newValue.rawValue) }
  }
}

extension Session {
  /// The calling thread's selector; nil where the mechanism has none, or before activation.
  ///
  /// With ``Mechanism/sudSelector`` a thread that goes back and forth between guest and native code sets it at each
  /// crossing. Code that never touches it behaves as under any other mechanism, but pays for a trap at every native call.
  public var selector: DispatchSelector? {
    guard mechanism == .sudSelector, isActive, let byte = cordon_thread_selector() else { return nil }
    return DispatchSelector(byte: UnsafeMutablePointer(mutating: byte))
  }

  /// Runs `body`, which must not run guest code, with the calling thread's selector at allow; under a mechanism without a
  /// selector it just runs it.
  public func withSelectorAllowing<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let selector else { return try body() }
    let before = selector.state
    selector.state = .allow
    defer { selector.state = before }
    return try body()
  }
}
