import Histogram

/// Everything measured for one combination.
package struct Series: Sendable {
  /// Picoseconds per operation, kept to four digits. That is a megabyte and more a series, so the counts are small ones.
  private var histogram = Histogram<UInt32>(numberOfSignificantValueDigits: .four)
  /// The median of each round, in nanoseconds per operation.
  package private(set) var roundMedians: [Int: Double] = [:]
  /// Operations over all samples.
  package private(set) var operations = 0

  /// Nanoseconds from the first to the last sample, over all rounds that say how long others had the processor.
  package private(set) var elapsed: Int64 = 0
  /// Nanoseconds of these that others had the processor.
  package private(set) var waited: Int64 = 0

  private static let picosecondsPerNanosecond = 1_000.0

  package init() {}

  /// Adds what one process measured.
  package mutating func record(_ measurement: Measurement, round: Int) {
    for sample in measurement.picoseconds { histogram.record(sample) }
    operations += measurement.operationsPerSample * measurement.picoseconds.count
    if let waited = measurement.waited, let elapsed = measurement.elapsed {
      self.waited += waited
      self.elapsed += elapsed
    }
    if let median = Statistics.median(of: measurement.picoseconds.map { Double($0) }) {
      roundMedians[round] = median / Self.picosecondsPerNanosecond
    }
  }

  /// Batches timed.
  package var samples: Int { Int(histogram.totalCount) }

  /// The fastest sample, in nanoseconds per operation.
  package var minimum: Double { nanoseconds(histogram.min) }
  /// The median of all samples, in nanoseconds per operation.
  package var median: Double { nanoseconds(histogram.median) }
  /// What 99 of 100 samples do not exceed, in nanoseconds per operation.
  package var p99: Double { nanoseconds(histogram.valueAtPercentile(99)) }

  /// How far the rounds lie apart: the median distance of their medians from the middle one, in nanoseconds.
  package var spread: Double {
    let medians = Array(roundMedians.values)
    guard let middle = Statistics.median(of: medians) else { return 0 }
    return Statistics.median(of: medians.map { abs($0 - middle) }) ?? 0
  }

  /// What so many percent of all samples do not exceed, in nanoseconds per operation.
  package var percentiles: [String: Double] {
    let shares = [("50", 50), ("90", 90), ("99", 99), ("99.9", 99.9), ("99.99", 99.99)]
    return Dictionary(uniqueKeysWithValues: shares.map { ($0.0, nanoseconds(histogram.valueAtPercentile($0.1))) })
  }

  private func nanoseconds(_ picoseconds: UInt64) -> Double {
    Double(picoseconds) / Self.picosecondsPerNanosecond
  }
}
