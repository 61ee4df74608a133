/// How much is measured.
package struct Extent: Sendable, Hashable {
  /// Each combination is measured once a round, each time in a process of its own.
  package var rounds: Int
  package var sampling: Sampling
  /// No round is begun that would go past it, beyond the first.
  package var budget: Duration

  /// About 50 s for everything.
  package static let full = Extent(
    rounds: 30, sampling: Sampling(warmUp: 6_000_000, duration: 50_000_000, batch: 30_000), budget: .seconds(75))
  /// About 12 s for everything.
  package static let quick = Extent(
    rounds: 8, sampling: Sampling(warmUp: 6_000_000, duration: 40_000_000, batch: 30_000), budget: .seconds(16))
}
