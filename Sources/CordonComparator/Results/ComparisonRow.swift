/// One combination in the JSON of a comparison: figures, or the reason why there are none. Times are nanoseconds per
/// operation.
package struct ComparisonRow: Sendable, Hashable, Codable {
  package var mechanism: String
  package var workload: String
  package var parameter: [String: Int]
  /// Batches timed.
  package var samples: Int?
  /// Operations over all samples.
  package var operations: Int?
  package var minimum: Double?
  package var median: Double?
  package var p99: Double?
  /// The median distance of the rounds' medians from their middle.
  package var spread: Double?
  /// Between which the median lies with 95 % confidence (bootstrap over rounds).
  package var medianInterval: [Double]?
  /// What it costs over `none` in the same round, median over rounds; absent for `none` itself.
  package var overhead: Double?
  /// Between which the overhead lies with 95 % confidence (bootstrap over rounds).
  package var overheadInterval: [Double]?
  /// Relative to `none` and to `sud-selector` in the same round, median over rounds.
  package var ratioToNone: Double?
  package var ratioToSelector: Double?
  /// Between which these ratios lie with 95 % confidence (bootstrap over rounds).
  package var ratioToNoneInterval: [Double]?
  package var ratioToSelectorInterval: [Double]?
  /// What so many percent of the samples do not exceed: keys "50", "90", "99", "99.9", "99.99".
  package var percentiles: [String: Double]?
  /// Why there are no figures.
  package var unavailable: String?

  package init(_ combination: Combination, in results: ComparisonResults) {
    mechanism = combination.mechanism
    workload = combination.workload
    parameter = combination.parameter
    unavailable = results[combination].reason
    guard let series = results[combination].series else { return }
    samples = series.samples
    operations = series.operations
    minimum = series.minimum
    median = series.median
    p99 = series.p99
    spread = series.spread
    percentiles = series.percentiles
    medianInterval = Bootstrap.interval(ofMedian: series.roundMedians.sorted { $0.key < $1.key }.map(\.value))
    if let baseline = results[combination.under(Roster.baseline)].series, mechanism != Roster.baseline {
      overhead = Statistics.pairedDifference(series, over: baseline)
      overheadInterval = Bootstrap.interval(ofMedian: Statistics.pairedDifferences(series, over: baseline))
      ratioToNone = Statistics.pairedRatio(series, to: baseline)
      ratioToNoneInterval = Bootstrap.interval(ofMedian: Statistics.pairedRatios(series, to: baseline))
    }
    if let alternative = results[combination.under(Roster.alternative)].series, mechanism != Roster.alternative {
      ratioToSelector = Statistics.pairedRatio(series, to: alternative)
      ratioToSelectorInterval = Bootstrap.interval(ofMedian: Statistics.pairedRatios(series, to: alternative))
    }
  }

  private enum CodingKeys: String, CodingKey {
    case mechanism, workload, parameter, samples, operations, unavailable
    case minimum = "minimum_ns"
    case median = "median_ns"
    case p99 = "p99_ns"
    case spread = "spread_ns"
    case medianInterval = "median_interval_ns"
    case overhead = "overhead_ns"
    case overheadInterval = "overhead_interval_ns"
    case ratioToNone = "ratio_to_none"
    case ratioToSelector = "ratio_to_sud_selector"
    case ratioToNoneInterval = "ratio_to_none_interval"
    case ratioToSelectorInterval = "ratio_to_sud_selector_interval"
    case percentiles = "percentiles_ns"
  }
}
