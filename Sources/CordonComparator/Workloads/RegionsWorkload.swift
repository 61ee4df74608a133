import Cordon
import Glibc

/// An untrapped getppid(2) beside many scattered regions: what it costs to tell them apart.
package struct RegionsWorkload: Workload {
  /// How many regions trap.
  package let count: Int

  package init(_ count: Int) { self.count = count }

  package var name: String { "regions-\(count)" }
  package var summary: String {
    "getppid(2) by libc, while \(count) scattered region\(count == 1 ? " traps" : "s trap")"
  }
  package var parameter: [String: Int] { ["regions": count] }

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool { mechanism.takesManyRegions }

  package func measure(
    under mechanism: any MeasuredMechanism, _ conditions: Conditions
  ) throws(MeasurementError) -> Measurement {
    let session = try mechanism.trap(try ScatteredRegions.ranges(count, meanDistance: 1 << 30))
    let before = session.map { ExpectedTraps.Counts($0.statistics) }
    let measurement = Measurement(conditions.sampling) { operations in
      for _ in 0..<operations { _ = getppid() }
    }
    if let session, let before {
      try ExpectedTraps.none.verify(from: before, to: .init(session.statistics), operations: 0)
    }
    return measurement
  }
}
