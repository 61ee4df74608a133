@testable import CordonComparator

/// One round's measurement whose samples are these, in nanoseconds per operation.
func measurement(_ nanoseconds: Double..., operations: Int = 100) -> Measurement {
  Measurement(operationsPerSample: operations, picoseconds: nanoseconds.map { UInt64($0 * 1_000) })
}

/// A series whose rounds have these medians, from round 0.
func series(_ roundMedians: Double...) -> Series {
  var series = Series()
  for (round, median) in roundMedians.enumerated() { series.record(measurement(median), round: round) }
  return series
}

/// Results in which each combination has one sample a round, of these nanoseconds.
func results(_ figures: [(mechanism: String, workload: String, rounds: [Double])]) -> ComparisonResults {
  let combinations = figures.map { Combination(mechanism: $0.mechanism, workload: $0.workload) }
  var results = ComparisonResults(combinations: combinations)
  for (combination, figure) in zip(combinations, figures) {
    for (round, value) in figure.rounds.enumerated() {
      results[combination].record(.measured(measurement(value)), round: round)
    }
  }
  results.rounds = figures.map(\.rounds.count).max() ?? 0
  return results
}

/// A machine that does not depend on the one that the tests run on.
let someHost = Host(
  kernel: "Linux 6.18.0", architecture: "x86_64", processor: "Some Processor", processorCount: 2,
  mitigations: [
    "retbleed": "Mitigation: Enhanced IBRS", "meltdown": "Not affected", "mds": "Vulnerable: no microcode",
  ],
  jit: .on, clock: "tsc")
