package import Cordon

/// One way to trap, as the comparator measures it. To add one: write a type in a file of its own and name it in the
/// ``Roster``.
package protocol MeasuredMechanism: Sendable {
  /// What `--mechanism` and the results call it.
  var name: String { get }
  /// What it is, in a few words for the help.
  var summary: String { get }
  /// Whether one session of it takes any number of regions without trapping what lies between them.
  var takesManyRegions: Bool { get }

  /// Maps the guest's code and has its calls trapped in the calling thread, answered by `hook`. Called once in a process.
  func enter(_ code: [UInt8], hook: TrapHook) throws(MeasurementError) -> Guest
  /// A session that nothing is declared in yet; nil where no session carries the mechanism.
  func openSession() throws(MeasurementError) -> Session?
}

extension MeasuredMechanism {
  package var takesManyRegions: Bool { false }
  package func openSession() throws(MeasurementError) -> Session? { nil }
}
