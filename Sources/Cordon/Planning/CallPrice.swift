/// What an untrapped call costs more than it would without a session, in nanoseconds. By measurements on Linux 6.18 on a
/// 2.5 GHz Xeon with the usual mitigations: `cordon compare` says what it is on the machine at hand.
package enum CallPrice {
  /// Entering seccomp and running one filter of a dozen instructions.
  private static let firstFilter = 50.0
  /// Each further one.
  private static let furtherFilter = 25.0
  /// A trap that is passed through.
  package static let passedThrough = 1_550.0
  private static let dispatchRange = 30.0
  private static let dispatchSelector = 55.0

  package static func filters(_ count: Int) -> Double {
    count == 0 ? 0 : firstFilter + Double(count - 1) * furtherFilter
  }

  package static func dispatch(_ mechanism: Mechanism) -> Double {
    mechanism == .sudSelector ? dispatchSelector : dispatchRange
  }
}
