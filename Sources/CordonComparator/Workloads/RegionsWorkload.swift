import Cordon
import Glibc

/// An untrapped getppid(2) in a session of many scattered regions: what it costs that the filter tells them apart.
package struct RegionsWorkload: Workload {
  /// How many regions trap.
  package let count: Int

  package init(_ count: Int) { self.count = count }

  package var name: String { "regions-\(count)" }
  package var summary: String { "the same, while \(count) scattered region\(count == 1 ? " traps" : "s trap")" }
  package var parameter: [String: Int] { ["regions": count] }

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool { mechanism.takesManyRegions }

  package func measure(
    under mechanism: any MeasuredMechanism, _ sampling: Sampling
  ) throws(MeasurementError) -> Measurement {
    let session = try ScatteredRegions.session(under: mechanism, count, meanDistance: 1 << 30)
    do throws(SessionError) { try session.activate() } catch { throw MeasurementError(error) }
    let before = ExpectedTraps.Counts(session.statistics)
    let measurement = Measurement(sampling) { operations in
      for _ in 0..<operations { _ = getppid() }
    }
    try ExpectedTraps.none.verify(from: before, to: .init(session.statistics), operations: 0)
    return measurement
  }
}
