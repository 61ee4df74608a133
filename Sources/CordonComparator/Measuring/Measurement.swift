/// What one process measured.
package struct Measurement: Sendable, Hashable, Codable {
  /// Operations in one sample.
  package var operationsPerSample: Int
  /// Picoseconds per operation, one value a sample, in the order taken.
  package var picoseconds: [UInt64]
  /// Nanoseconds from the first sample to the last; nil where samples were taken otherwise.
  package var elapsed: Int64?
  /// Nanoseconds of these that the thread was ready to run and another one had its processor; nil where the kernel does not
  /// count them.
  package var waited: Int64?

  package init(operationsPerSample: Int, picoseconds: [UInt64]) {
    self.operationsPerSample = operationsPerSample
    self.picoseconds = picoseconds
  }

  /// Takes samples of `perform`, which does as many operations as it is told.
  ///
  /// Each sample is a batch between two readings of the clock; what one reading costs is measured first and subtracted.
  /// - Parameter operations: How many are a batch; nil for as many as take about as long as the sampling says.
  init(_ sampling: Sampling, operations: Int? = nil, perform: (_ operations: Int) -> Void) {
    let clockCost = MonotonicClock.cost()
    let operations = operations ?? Measurement.operations(in: sampling.batch, perform: perform)
    let warm = MonotonicClock.now() + sampling.warmUp
    while MonotonicClock.now() < warm { perform(operations) }

    // Initialized now, so that no page of it is touched for the first time between two samples. No batch takes less than
    // some tens of nanoseconds.
    let room = operations == 1 ? Measurement.mostSamples : Int(sampling.duration / max(sampling.batch, 1)) + 1
    var samples = [UInt64](repeating: 0, count: room)
    var taken = 0
    let waitedBefore = RunDelay.ofThisThread()
    let begin = MonotonicClock.now()
    let end = begin + sampling.duration
    var finish: Int64 = 0
    while taken < samples.count, finish < end {
      let start = MonotonicClock.now()
      perform(operations)
      finish = MonotonicClock.now()
      samples[taken] = UInt64(max((finish - start) * 1_000 - clockCost, 0)) / UInt64(operations)
      taken += 1
    }
    self.init(operationsPerSample: operations, picoseconds: Array(samples[..<taken]))
    elapsed = finish - begin
    if let waitedBefore, let waitedAfter = RunDelay.ofThisThread() { waited = waitedAfter - waitedBefore }
  }

  /// Samples of one operation each are taken of what takes microseconds.
  private static let mostSamples = 50_000

  /// How many operations take about as long as `batch`.
  static func operations(in batch: Int64, perform: (Int) -> Void) -> Int {
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
