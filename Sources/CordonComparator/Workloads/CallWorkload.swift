package import Cordon

/// A workload whose operation is one system call, beside or inside a guest whose calls trap.
package protocol CallWorkload: Workload {
  /// What answers the guest.
  var hook: TrapHook { get }
  /// What each operation does to the session's counts.
  var expected: ExpectedTraps { get }
  /// Whether `guest` answers as it should, found before anything is timed.
  func check(_ guest: borrowing Guest, isNative: Bool) throws(MeasurementError)
  /// Does the operation so many times.
  func perform(_ operations: Int, _ guest: borrowing Guest)
}

/// What becomes of a workload's calls in a session.
package enum ExpectedTraps: Sendable {
  case none, answered, passed
}

extension CallWorkload {
  package func check(_ guest: borrowing Guest, isNative: Bool) throws(MeasurementError) {}

  package func measure(
    under mechanism: any MeasuredMechanism, _ sampling: Sampling
  ) throws(MeasurementError) -> Measurement {
    let guest = try mechanism.enter(Guest.getppid, hook: hook)
    try check(guest, isNative: guest.statistics == nil)
    let before = guest.statistics
    var operations: UInt64 = 0
    let measurement = Measurement(sampling) { count in
      perform(count, guest)
      operations += UInt64(count)
    }
    if let before, let after = guest.statistics {
      try expected.verify(from: before, to: after, operations: operations)
    }
    return measurement
  }
}

extension ExpectedTraps {
  /// Figures count only if exactly the calls trapped that should have.
  func verify(
    from before: Session.Statistics, to after: Session.Statistics, operations: UInt64
  ) throws(MeasurementError) {
    let traps = after.traps - before.traps
    let hooked = after.hooked - before.hooked
    let passed = after.passed - before.passed
    let wanted: (traps: UInt64, hooked: UInt64, passed: UInt64) =
      switch self {
      case .none: (0, 0, 0)
      case .answered: (operations, operations, 0)
      case .passed: (operations, operations, operations)
      }
    guard (traps, hooked, passed) == wanted else {
      throw .failed(
        "of \(operations) calls \(traps) trapped, \(hooked) reached the hook and \(passed) were passed through, "
          + "where \(wanted.traps), \(wanted.hooked) and \(wanted.passed) should have")
    }
  }
}
