import Cordon

/// A workload whose operation is one system call, beside or inside a guest whose calls trap.
package protocol CallWorkload: Workload {
  /// What becomes of the guest's calls.
  var answer: GuestAnswer { get }
  /// What each operation does to the counts.
  var expected: ExpectedTraps { get }
  /// The code of the guest.
  var code: [UInt8] { get }
  /// Whether `guest` answers as it should, found before anything is timed.
  func check(_ guest: borrowing Guest, isNative: Bool) throws(MeasurementError)
  /// Does the operation so many times.
  func perform(_ operations: Int, _ guest: borrowing Guest)
}

/// What becomes of the calls of an operation.
package enum ExpectedTraps: Sendable {
  case none, answered, passed
  /// As ``answered``, while other threads make calls of their own, which may trap and be let through.
  case answeredAmongOthers
}

extension CallWorkload {
  package var answer: GuestAnswer { .pass }
  package var expected: ExpectedTraps { .none }
  package var code: [UInt8] { Guest.getppid }

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool {
    // Without traps it is a matter of what the mechanism costs, and with them, of what it can.
    if case .none = expected { mechanism.takesGuests } else { mechanism.answers.contains(answer) }
  }

  package func check(_ guest: borrowing Guest, isNative: Bool) throws(MeasurementError) {}

  package func measure(
    under mechanism: any MeasuredMechanism, _ conditions: Conditions
  ) throws(MeasurementError) -> Measurement {
    let guest = try mechanism.enter(code, answer: answer)
    try check(guest, isNative: guest.counts == nil)
    let before = guest.counts
    var operations: UInt64 = 0
    let measurement = Measurement(conditions.sampling) { count in
      perform(count, guest)
      operations += UInt64(count)
    }
    if let before, let after = guest.counts {
      try expected.verify(from: before, to: after, operations: operations)
    }
    return measurement
  }
}

extension ExpectedTraps {
  /// What a session or a supervisor has counted.
  package struct Counts: Hashable, Sendable {
    var traps: UInt64
    var hooked: UInt64
    var passed: UInt64

    init(traps: UInt64, hooked: UInt64, passed: UInt64) {
      self.traps = traps
      self.hooked = hooked
      self.passed = passed
    }

    init(_ statistics: Session.Statistics) {
      self.init(traps: statistics.traps, hooked: statistics.hooked, passed: statistics.passed)
    }
  }

  /// Figures count only if exactly the calls trapped that should have.
  func verify(from before: Counts, to after: Counts, operations: UInt64) throws(MeasurementError) {
    var found = Counts(
      traps: after.traps - before.traps, hooked: after.hooked - before.hooked, passed: after.passed - before.passed)
    if case .answeredAmongOthers = self {
      found.traps -= min(found.traps, found.passed)
      found.passed = 0
    }
    let wanted =
      switch self {
      case .none: Counts(traps: 0, hooked: 0, passed: 0)
      case .answered, .answeredAmongOthers: Counts(traps: operations, hooked: operations, passed: 0)
      case .passed: Counts(traps: operations, hooked: operations, passed: operations)
      }
    guard found == wanted else {
      throw .failed(
        "of \(operations) calls \(found.traps) trapped, \(found.hooked) reached the hook and \(found.passed) were passed "
          + "through, where \(wanted.traps), \(wanted.hooked) and \(wanted.passed) should have")
    }
  }
}
