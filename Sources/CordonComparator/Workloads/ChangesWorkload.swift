import Glibc

/// An untrapped getppid(2) after regions have come one by one, each by a change of its own and at a place of its own.
package struct ChangesWorkload: Workload {
  /// How many changes were made.
  package let count: Int

  package init(_ count: Int) { self.count = count }

  package var name: String { "changes-\(count)" }
  package var summary: String {
    "getppid(2) by libc, after \(count) region\(count == 1 ? " has" : "s have") come one by one"
  }
  package var parameter: [String: Int] { ["changes": count] }

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool { mechanism.takesChanges }

  package func measure(
    under mechanism: any MeasuredMechanism, _ conditions: Conditions
  ) throws(MeasurementError) -> Measurement {
    let regions = try mechanism.liveRegions()
    for range in try ScatteredRegions.ranges(count, meanDistance: 1 << 30) { _ = try regions.trap(range) }
    return Measurement(conditions.sampling) { operations in
      for _ in 0..<operations { _ = getppid() }
    }
  }
}
