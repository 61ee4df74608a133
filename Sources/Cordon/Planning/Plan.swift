public import FilterCompiler

/// What a session does, or would do, so that the kernel traps what its regions ask for; and at what price.
public struct Plan: Sendable, Hashable, CustomStringConvertible {
  /// How the kernel comes to trap what it must.
  public enum Step: String, Sendable, Hashable {
    /// It does already: all that must trap lies where what is attached traps, as all of the arena does. Nothing is
    /// attached.
    case place
    /// One more filter traps the code, and with it address space where nothing is mapped, so that later regions there
    /// need none.
    case widen
    /// One more filter traps the code and nothing else.
    case add
    /// A last filter traps everything but Cordon's own pages, and the handler decides: no later change needs a filter,
    /// and every native call is passed through.
    case degrade
    /// Syscall user dispatch gets another range, in every thread of the session.
    case dispatch
    /// A session that chose syscall user dispatch by itself goes over to seccomp.
    case changeMechanism
  }

  /// How it is done.
  public let step: Step
  /// Why this and nothing cheaper.
  public let reason: String
  /// Filters to be attached.
  public let filters: Int
  /// Their instructions.
  public let instructions: Int
  /// Code that will trap though no region asks for it: native code that is mapped now and cannot be kept out. Its calls
  /// are passed through.
  public let nativeCodeCaught: [AddressRange]
  /// Whether programs that this process executes from then on may be loaded where it traps, and die of it: a filter
  /// outlives exec, a handler does not.
  public let endangersPrograms: Bool
  /// What an untrapped call costs more than without a session, in nanoseconds, by what was measured elsewhere; before
  /// and after.
  public let nanosecondsBefore, nanosecondsAfter: Double

  /// In one line.
  public var description: String {
    let price =
      nanosecondsAfter == nanosecondsBefore
      ? "no call costs more" : "an untrapped call costs about \(Int(nanosecondsAfter)) ns more than without a session"
    return "\(step.rawValue): \(reason); \(price)"
  }
}
