import Glibc
import LauncherShims
import SystemPackage

/// The signals of this process, read one after the other instead of interrupting it.
struct SignalQueue: ~Copyable {
  /// Where all but SIGCHLD can be read, and where that can: what children do is no signal to be passed on.
  let descriptor, ofChildren: Int32
  /// What was blocked before, but for SIGSYS: what a program that is started should find. A trap with SIGSYS blocked would
  /// be its end.
  let maskBefore: UInt64
  /// Whether SIGSYS was, which a program should find blocked as far as it can tell.
  let blockedTraps: Bool

  private static let trap: UInt64 = 1 << UInt64(SIGSYS - 1)
  private static let child: UInt64 = 1 << UInt64(SIGCHLD - 1)

  /// Signals that a fault of this process's own causes stay deadly.
  private static let faults = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT]

  init() throws(LaunchError) {
    let mask = Self.faults.reduce(UInt64.max) { $0 & ~(1 << UInt64($1 - 1)) }
    var before: UInt64 = 0
    var results = [cordon_signal_block(mask, &before)]
    for set in [mask & ~Self.child, Self.child] where results[0] >= 0 { results.append(cordon_signal_descriptor(set)) }
    if let error = results.first(where: { $0 < 0 }) {
      for descriptor in results.dropFirst() where descriptor >= 0 { close(Int32(descriptor)) }
      let error = Errno(rawValue: Int32(-error))
      throw .machine("signals cannot be read: \(error)", remedy: error.remedyForDescriptors)
    }
    (descriptor, ofChildren) = (Int32(results[1]), Int32(results[2]))
    maskBefore = before & ~Self.trap
    blockedTraps = before & Self.trap != 0
  }

  deinit {
    close(descriptor)
    close(ofChildren)
  }

  /// What this thread blocked before.
  var before: UInt64 { blockedTraps ? maskBefore | Self.trap : maskBefore }

  /// Takes all that have come, but SIGCHLD.
  func all() -> [CordonSignal] {
    var signals: [CordonSignal] = []
    while let signal = Self.next(descriptor) { signals.append(signal) }
    return signals
  }

  /// Takes SIGCHLD, so that it is heard of what children do from now on.
  func clearChildren() { while Self.next(ofChildren) != nil {} }

  /// Has signals do to this process what they did before, and lets go of those that have come. What is written now may have to
  /// wait for a reader, and this process be ended meanwhile; that nobody reads stays an error (EPIPE).
  func stopReading() {
    _ = all()
    cordon_signal_set_mask(before | 1 << UInt64(SIGPIPE - 1))
  }

  private static func next(_ descriptor: Int32) -> CordonSignal? {
    var signal = CordonSignal()
    return cordon_signal_read(descriptor, &signal) == 0 && signal.number != 0 ? signal : nil
  }
}

extension CordonSignal {
  /// Its bit in a mask.
  var bit: UInt64 { 1 << UInt64(number - 1) }

  /// Whether somebody sent the signal to this process, who may have meant the program. What the kernel sends from the
  /// terminal the program has got itself, but where that is hung up: then it is for the leader of the session, who is this
  /// process where it was started as one. And the program's own processes know where it is.
  func isForProgram(_ program: Int32) -> Bool {
    guard number != SIGPIPE, sender != getpid() else { return false }
    guard code <= 0 else {  // not SI_USER, SI_QUEUE, …
      return (number == SIGHUP || number == SIGCONT) && getsid(0) == getpid()
    }
    return !ProcessAncestry.isOf(sender, ancestor: program)
  }
}
