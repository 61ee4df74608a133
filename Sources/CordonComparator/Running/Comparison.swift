import SeededNumbers

/// Measures combinations in rounds: each combination once a round, in an order of the round's own, so that whatever
/// drifts (frequency, temperature, load) hits all alike, and differences can be taken within one round.
package struct Comparison: Sendable {
  package var combinations: [Combination]
  package var extent: Extent
  /// In one of how many rounds a combination is measured, from the first one on.
  package var period: @Sendable (Combination) -> Int = { Roster.period(of: $0) }
  /// Measures one combination in a fresh process.
  package var measure: @Sendable (Combination) async -> Reply

  /// What is going on, before each measurement.
  package struct Progress: Sendable, Hashable {
    package var combination: Combination
    /// From 1.
    package var round: Int
    package var rounds: Int
    /// Of the whole, from 0 to 1.
    package var fraction: Double
  }

  private static let seed: UInt64 = 2020_05_30

  package init(
    combinations: [Combination], extent: Extent, measure: @escaping @Sendable (Combination) async -> Reply
  ) {
    self.combinations = combinations
    self.extent = extent
    self.measure = measure
  }

  /// - Parameters:
  ///   - conformance: What is known of the mechanisms; one that is broken is not measured.
  ///   - progress: Called before each measurement.
  ///   - shouldStop: Asked before each measurement; true ends the comparison.
  /// - Returns: What was found; marked as partial if it was stopped, and nil if it was stopped in the first round.
  package func run(
    conformance: Conformance? = nil, progress: (Progress) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) async -> ComparisonResults? {
    let clock = ContinuousClock()
    let start = clock.now
    var random = SplitMix64(seed: Self.seed)
    var results = ComparisonResults(combinations: combinations)
    results.conformance = conformance
    for combination in combinations {
      guard let obstacle = conformance?.obstacle(to: combination.mechanism) else { continue }
      results[combination].record(.failed(reason: obstacle), round: 0)
    }
    var longestRound = Duration.zero
    rounds: for round in 0..<extent.rounds {
      let roundStart = clock.now
      let left = combinations.filter { results[$0].isMeasurable }
      let due = left.filter { round.isMultiple(of: period($0)) }.shuffled(using: &random)
      guard !left.isEmpty, round == 0 || roundStart - start + longestRound <= extent.budget else { break }
      for (position, combination) in due.enumerated() {
        // A measurement that an interruption ended is not an answer.
        if shouldStop() { break rounds }
        let done = (Double(round) + Double(position) / Double(due.count)) / Double(extent.rounds)
        progress(Progress(combination: combination, round: round + 1, rounds: extent.rounds, fraction: done))
        let reply = await measure(combination)
        if shouldStop() { break rounds }
        results[combination].record(reply, round: round)
      }
      results.rounds = round + 1
      longestRound = max(longestRound, clock.now - roundStart)
    }
    results.elapsed = clock.now - start
    results.isPartial = shouldStop()
    return results.isPartial && results.rounds == 0 ? nil : results
  }
}
