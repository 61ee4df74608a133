/// What is computed from what the rounds measured.
package enum Statistics {
  /// The middle value, or the mean of the two; nil of nothing.
  package static func median(of values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

  /// The median over rounds of what one series costs more than the other in the same round. What drifts from round to
  /// round cancels. Nil without a common round.
  package static func pairedDifference(_ series: Series, over baseline: Series) -> Double? {
    median(of: pairedDifferences(series, over: baseline))
  }

  /// What one series costs more than the other, for each round that both have, in the order of the rounds.
  package static func pairedDifferences(_ series: Series, over baseline: Series) -> [Double] {
    series.roundMedians.sorted { $0.key < $1.key }.compactMap { round, value in
      baseline.roundMedians[round].map { value - $0 }
    }
  }

  /// The median over rounds of one series' cost relative to the other's in the same round.
  package static func pairedRatio(_ series: Series, to reference: Series) -> Double? {
    median(of: pairedRatios(series, to: reference))
  }

  /// One series' cost relative to the other's, for each round that both have, in the order of the rounds.
  package static func pairedRatios(_ series: Series, to reference: Series) -> [Double] {
    series.roundMedians.sorted { $0.key < $1.key }.compactMap { round, value in
      reference.roundMedians[round].flatMap { $0 > 0 ? value / $0 : nil }
    }
  }
}
