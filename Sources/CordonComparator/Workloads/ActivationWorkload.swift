import Cordon

/// Activating a session of many small regions: compiling the filter and loading it (as an ordinary
/// user also rehearsing that in a child).
package struct ActivationWorkload: Workload {
  package let name = "activation"
  package let summary = "activating a session of 1,000 scattered regions"

  static let regions = 1_000

  package init() {}

  package var parameter: [String: Int] { ["regions": Self.regions] }

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool {
    mechanism.takesManyRegions && mechanism.hasSessions
  }

  package func measure(
    under mechanism: any MeasuredMechanism, _ conditions: Conditions
  ) throws(MeasurementError) -> Measurement {
    let session = try ScatteredRegions.session(under: mechanism, Self.regions, meanDistance: 1 << 32)
    do throws(SessionError) {
      // Once a process: a session is activated once. The clock's own cost is nothing beside it.
      let start = MonotonicClock.now()
      try session.activate()
      let elapsed = MonotonicClock.now() - start
      return Measurement(operationsPerSample: 1, picoseconds: [UInt64(elapsed) * 1_000])
    } catch {
      throw MeasurementError(error)
    }
  }
}
