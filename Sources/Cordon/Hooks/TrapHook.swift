public import TrapEngine

/// What answers a session's trapped calls. There is one kind of hook for every mechanism.
///
/// A hook runs inside the SIGSYS delivery, on the trapped thread's stack (its alternate stack if it has one), with
/// signals open and with a clean floating-point state; the thread's own is restored afterwards. It may make system
/// calls, from anywhere: one from a trapped region traps again and reaches the hook again.
///
/// The delivery takes what the kernel's signal frame needs (the AT_MINSIGSTKSZ of getauxval(3); 3.6 KB with AVX-512) and
/// less than 1 KB more, on top of what the hook itself uses. A change of the session that it makes takes next to nothing of
/// it (``Session/change(_:)``), the search for a module 20 KB. A thread whose alternate stack is too small for a delivery
/// and for a frame of its own is given a larger one, and told that it has its own.
///
/// Which hook to use depends on where calls may be trapped:
/// - A **C function** (``init(function:context:)``) may interrupt anything, provided that it keeps to what its own body
///   guarantees: no locks that the trapped code may hold, no allocation, and no thread-local storage where the trapped
///   code changes the FS base.
/// - A **Swift closure** (``init(_:)``) may use the Swift runtime, which allocates and locks. That is right where the
///   trapped code is the program's own guest (mapped code, an emulated program) and holds no lock of malloc or of the
///   runtime when it calls; it can deadlock where the trapped code is libc or the Swift runtime itself.
public struct TrapHook: Sendable {
  enum Kind {
    case function(CordonTrapHook, context: UInt)
    case closure(@Sendable (borrowing Trap) -> Verdict)
  }
  let kind: Kind

  /// A hook in Swift, for trapped code that holds no runtime lock.
  public init(_ body: @escaping @Sendable (borrowing Trap) -> Verdict) {
    kind = .closure(body)
  }

  /// A hook in C (or an `@convention(c)` function), for code that may be interrupted anywhere.
  /// - Parameter context: handed to every call of `function`; must stay valid as long as the process lives.
  public init(function: CordonTrapHook, context: UnsafeMutableRawPointer? = nil) {
    kind = .function(function, context: UInt(bitPattern: context))
  }
}

/// A closure hook. Once activated it lives as long as the process: a filter is never taken off.
final class ClosureHook: Sendable {
  let body: @Sendable (borrowing Trap) -> Verdict

  init(body: @escaping @Sendable (borrowing Trap) -> Verdict) { self.body = body }

  /// What the engine calls; `context` is the hook, unretained.
  static let function: CordonTrapHook = { trap, context in
    guard let trap, let context else { return Verdict.pass.engineVerdict }
    return Unmanaged<ClosureHook>.fromOpaque(context)._withUnsafeGuaranteedRef { hook in
      hook.body(Trap(raw: trap)).engineVerdict
    }
  }
}

extension TrapHook {
  /// The hook as the engine calls it. A closure is kept for ever.
  func engineHook() -> (CordonTrapHook, UnsafeMutableRawPointer?) {
    switch kind {
    case .function(let function, let context): (function, UnsafeMutableRawPointer(bitPattern: context))
    case .closure(let body): (ClosureHook.function, Unmanaged.passRetained(ClosureHook(body: body)).toOpaque())
    }
  }
}
