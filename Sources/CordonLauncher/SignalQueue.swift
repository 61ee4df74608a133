import Glibc
import LauncherShims
import SystemPackage

/// The signals of this process, read one after the other instead of interrupting it.
struct SignalQueue: ~Copyable {
  let descriptor: Int32
  /// What was blocked before, but for SIGSYS: what a program that is started should find. A trap with SIGSYS blocked would
  /// be its end.
  let maskBefore: UInt64
  /// Whether SIGSYS was, which a program should find blocked as far as it can tell.
  let blockedTraps: Bool

  private static let trap: UInt64 = 1 << UInt64(SIGSYS - 1)

  /// Signals that a fault of this process's own causes stay deadly.
  private static let faults = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT]

  init() throws(LaunchError) {
    let mask = Self.faults.reduce(UInt64.max) { $0 & ~(1 << UInt64($1 - 1)) }
    var before: UInt64 = 0
    var result = cordon_signal_block(mask, &before)
    if result == 0 { result = cordon_signal_descriptor(mask) }
    guard result >= 0 else {
      throw .machine("signals cannot be read: \(Errno(rawValue: Int32(-result)))", remedy: nil)
    }
    descriptor = Int32(result)
    maskBefore = before & ~Self.trap
    blockedTraps = before & Self.trap != 0
  }

  deinit { close(descriptor) }

  /// What this thread blocked before.
  var before: UInt64 { blockedTraps ? maskBefore | Self.trap : maskBefore }

  func next() -> CordonSignal? {
    var signal = CordonSignal()
    return cordon_signal_read(descriptor, &signal) == 0 && signal.number != 0 ? signal : nil
  }
}

extension CordonSignal {
  /// Whether somebody sent the signal to this process, who may have meant the program. What the kernel sends from the
  /// terminal the program has got itself, and its own processes know where it is.
  func isForProgram(_ program: Int32) -> Bool {
    guard code <= 0, number != SIGPIPE, sender != getpid() else { return false }  // SI_USER, SI_QUEUE, …
    return !ProcessAncestry.isOf(sender, ancestor: program)
  }
}
