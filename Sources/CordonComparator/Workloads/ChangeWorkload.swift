import Cordon

/// What one change takes: regions come and go in turn, where what is attached decides already as far as a mechanism has
/// such places.
package struct ChangeWorkload: Workload {
  package let name = "change"
  package let summary = "one change of the regions: one comes, or goes"

  package init() {}

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool {
    mechanism.takesChanges && mechanism.name != Roster.baseline
  }

  package func measure(
    under mechanism: any MeasuredMechanism, _ conditions: Conditions
  ) throws(MeasurementError) -> Measurement {
    let regions = try mechanism.liveRegions()
    let ranges = try ScatteredRegions.ranges(200, meanDistance: 1 << 30)
    var next = 0
    // The first one may have to attach a filter, which those after it do without.
    try regions.release(try regions.trap(ranges[0]))
    let clockCost = MonotonicClock.cost()
    var samples: [UInt64] = []
    let end = MonotonicClock.now() + conditions.sampling.duration
    var now = MonotonicClock.now()
    while now < end, samples.count < regions.limit ?? .max {
      next += 1
      let before = MonotonicClock.now()
      let region = try regions.trap(ranges[next % ranges.count])
      now = MonotonicClock.now()
      samples.append(UInt64(max((now - before) * 1_000 - clockCost, 0)))
      // What cannot go has come for good.
      guard let region else { continue }
      let come = MonotonicClock.now()
      try regions.release(region)
      now = MonotonicClock.now()
      samples.append(UInt64(max((now - come) * 1_000 - clockCost, 0)))
    }
    return Measurement(operationsPerSample: 1, picoseconds: samples)
  }
}
