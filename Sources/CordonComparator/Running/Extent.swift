/// How much is measured.
package struct Extent: Sendable, Hashable {
  /// Each combination is measured once a round, each time in a process of its own.
  package var rounds: Int
  package var sampling: Sampling
  /// No round is begun that would go past it, beyond the first.
  package var budget: Duration

  /// Many short rounds tell more than few long ones: what disturbs a machine lasts longer than a round, so it either
  /// hits a whole round or is one of many that the median passes over.
  private static let sampling = Sampling(warmUp: 3_000_000, duration: 12_000_000, batch: 30_000)

  /// Some 10 minutes for everything, and never more than 15.
  package static let full = Extent(rounds: 80, sampling: sampling, budget: .seconds(840))
  /// About a minute for everything, and never more than 90 s.
  package static let quick = Extent(rounds: 10, sampling: sampling, budget: .seconds(75))
}
