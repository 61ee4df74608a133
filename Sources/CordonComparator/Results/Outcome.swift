/// What became of one combination.
package enum Outcome: Sendable {
  case measured(Series)
  /// This kernel, machine or process cannot do it.
  case unavailable(reason: String)
  /// It should have worked. What earlier rounds measured is not shown: whatever made it fail may have spoilt them.
  case failed(reason: String)

  /// Whether another round makes sense.
  package var isMeasurable: Bool {
    if case .measured = self { true } else { false }
  }

  package var series: Series? {
    if case .measured(let series) = self, series.samples > 0 { series } else { nil }
  }

  /// Why there are no figures.
  package var reason: String? {
    switch self {
    case .measured(let series): series.samples > 0 ? nil : "nothing was measured"
    case .unavailable(let reason), .failed(let reason): reason
    }
  }

  package mutating func record(_ reply: Reply, round: Int) {
    switch reply {
    case .measured(let measurement):
      guard case .measured(var series) = self else { return }
      series.record(measurement, round: round)
      self = .measured(series)
    case .unavailable(let reason): self = .unavailable(reason: reason)
    case .failed(let reason): self = .failed(reason: reason)
    }
  }
}
