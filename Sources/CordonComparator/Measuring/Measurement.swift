/// What one process measured.
package struct Measurement: Sendable, Hashable, Codable {
  /// Operations in one sample.
  package var operationsPerSample: Int
  /// Picoseconds per operation, one value a sample, in the order taken.
  package var picoseconds: [UInt64]

  package init(operationsPerSample: Int, picoseconds: [UInt64]) {
    self.operationsPerSample = operationsPerSample
    self.picoseconds = picoseconds
  }

  /// Takes samples of `perform`, which does as many operations as it is told.
  ///
  /// Each sample is a batch between two readings of the clock; what one reading costs is measured first and subtracted.
  init(_ sampling: Sampling, perform: (_ operations: Int) -> Void) {
    let clockCost = MonotonicClock.cost()
    let operations = Measurement.operations(in: sampling.batch, perform: perform)
    let warm = MonotonicClock.now() + sampling.warmUp
    while MonotonicClock.now() < warm { perform(operations) }

    // Initialized now, so that no page of it is touched for the first time between two samples.
    var samples = [UInt64](repeating: 0, count: Int(sampling.duration / max(sampling.batch, 1)) + 1)
    var taken = 0
    let end = MonotonicClock.now() + sampling.duration
    var finish: Int64 = 0
    while taken < samples.count, finish < end {
      let start = MonotonicClock.now()
      perform(operations)
      finish = MonotonicClock.now()
      samples[taken] = UInt64(max((finish - start) * 1_000 - clockCost, 0)) / UInt64(operations)
      taken += 1
    }
    self.init(operationsPerSample: operations, picoseconds: Array(samples[..<taken]))
  }

  /// How many operations take about as long as `batch`.
  private static func operations(in batch: Int64, perform: (Int) -> Void) -> Int {
    var operations = 1
    while true {
      // The fastest of a few: one interrupt must not pass for many operations.
      let elapsed =
        (0..<5).map { _ -> Int64 in
          let start = MonotonicClock.now()
          perform(operations)
          return max(MonotonicClock.now() - start, 1)
        }.min() ?? 1
      if elapsed >= batch / 2 { return max(1, Int(Int64(operations) * batch / elapsed)) }
      operations *= 2
    }
  }
}
