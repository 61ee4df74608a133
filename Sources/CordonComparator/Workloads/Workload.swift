/// One job, the same for every mechanism. To add one: write a type in a file of its own and name it in the ``Roster``.
package protocol Workload: Sendable {
  /// What `--workload` and the results call it.
  var name: String { get }
  /// What it does, in a few words for the help.
  var summary: String { get }
  /// What else tells this combination from others of the same name.
  var parameter: [String: Int] { get }

  /// It is measured in one of so many rounds: more than 1 for what takes long.
  var period: Int { get }

  /// Whether there is anything to measure: combinations without a meaning are no rows.
  func isMeasured(under mechanism: any MeasuredMechanism) -> Bool

  /// Does the work in this process, which is new and does nothing else.
  func measure(under mechanism: any MeasuredMechanism, _ conditions: Conditions) throws(MeasurementError) -> Measurement
}

extension Workload {
  package var parameter: [String: Int] { [:] }
  package var period: Int { 1 }
  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool { true }
}
