/// What a comparison found.
package struct ComparisonResults: Sendable {
  /// In the order of the rows.
  package let combinations: [Combination]
  package var rounds = 0
  package var elapsed = Duration.zero
  /// Whether it was ended before its time.
  package var isPartial = false
  /// What was found of the mechanisms before they were measured; nil where nobody looked.
  package var conformance: Conformance?
  /// The share of all processor time that a hypervisor gave to other machines; nil where that is not known.
  package var steal: Double?
  private var outcomes: [Combination: Outcome]

  package init(combinations: [Combination]) {
    self.combinations = combinations
    outcomes = Dictionary(uniqueKeysWithValues: combinations.map { ($0, .measured(Series())) })
  }

  package subscript(combination: Combination) -> Outcome {
    get { outcomes[combination] ?? .unavailable(reason: "not asked for") }
    set { outcomes[combination] = newValue }
  }

  /// The figures of a mechanism with a workload; nil where there are none.
  package func series(_ mechanism: String, _ workload: String) -> Series? {
    combinations.first { $0.mechanism == mechanism && $0.workload == workload }.flatMap { self[$0].series }
  }

  /// What a mechanism adds to a workload, in nanoseconds per operation, paired by round; nil where it or the baseline
  /// was not measured.
  package func overhead(of mechanism: String, on workload: String) -> Double? {
    guard let measured = series(mechanism, workload), let baseline = series(Roster.baseline, workload)
    else { return nil }
    return Statistics.pairedDifference(measured, over: baseline)
  }
}
