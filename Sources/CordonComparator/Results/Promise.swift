/// A promise that a comparison's own figures judge.
package struct Promise: Sendable {
  /// See ``Bar``, which it is once there are figures.
  package let name: String
  package let statement: String
  package let relation: Bar.Relation
  package let limit: Double
  package let unit: String
  /// What has to be measured for it: mechanisms with workloads.
  private let needs: [(mechanism: String, workload: String)]
  /// The value and its interval; nil where nothing can be made of the figures.
  private let judge: @Sendable (ComparisonResults) -> (value: Double, interval: [Double]?)?

  /// nil where its combinations were not measured.
  package func bar(in results: ComparisonResults) -> Bar? {
    judge(results).map {
      Bar(
        name: name, statement: statement, value: $0.value, interval: $0.interval, relation: relation, limit: limit,
        unit: unit)
    }
  }

  /// Why there is no bar: what is missing of what has to be measured.
  package func obstacle(in results: ComparisonResults) -> String {
    for (mechanism, workload) in needs where results.series(mechanism, workload) == nil {
      let combination = results.combinations.first { $0.mechanism == mechanism && $0.workload == workload }
      return "\(workload) under \(mechanism): \(combination.flatMap { results[$0].reason } ?? "not asked for")"
    }
    return "its figures have no ratio"
  }

  /// All of them, in the order in which they are printed.
  package static let all = [untrappedCall, trappedCall, manyRegions, activation, harness]

  /// What seccomp adds to an untrapped call, against what the kernel's own alternative adds.
  private static let untrappedCall = Promise(
    name: "compare.getppid.seccomp-to-selector", statement: "getppid: seccomp over none / sud-selector over none",
    relation: .atMost, limit: 1.15, unit: "x",
    needs: [Roster.baseline, "seccomp", Roster.alternative].map { ($0, "getppid") }
  ) { results in
    guard let none = results.series(Roster.baseline, "getppid"), let seccomp = results.series("seccomp", "getppid"),
      let alternative = results.series(Roster.alternative, "getppid")
    else { return nil }
    let rounds = seccomp.roundMedians.keys.sorted().compactMap { round -> (seccomp: Double, alternative: Double)? in
      guard let native = none.roundMedians[round], let seccomp = seccomp.roundMedians[round],
        let alternative = alternative.roundMedians[round]
      else { return nil }
      return (seccomp - native, alternative - native)
    }
    func ratio(_ rounds: [(seccomp: Double, alternative: Double)]) -> Double? {
      guard let above = Statistics.median(of: rounds.map(\.seccomp)),
        let below = Statistics.median(of: rounds.map(\.alternative)), below > 0
      else { return nil }
      return above / below
    }
    return ratio(rounds).map { ($0, Bootstrap.interval(of: rounds, ratio)) }
  }

  private static let trappedCall = ratio(
    ("seccomp", "trap-value"), to: (Roster.alternative, "trap-value"),
    name: "compare.trap-value.seccomp-to-selector", statement: "trap-value: seccomp / sud-selector")

  /// What more regions cost a call that is not trapped. The tree is a few levels higher, no more.
  private static let manyRegions = ratio(
    ("seccomp", "regions-1024"), to: ("seccomp", "regions-1"),
    name: "compare.getppid.regions-1024-to-1", statement: "getppid under seccomp: 1,024 regions / 1 region")

  /// A ratio within rounds that is to be at most 1.10.
  private static func ratio(
    _ one: (String, String), to other: (String, String), name: String, statement: String
  ) -> Promise {
    Promise(
      name: name, statement: statement, relation: .atMost, limit: 1.10, unit: "x", needs: [one, other]
    ) { results in
      guard let series = results.series(one.0, one.1), let reference = results.series(other.0, other.1)
      else { return nil }
      let ratios = Statistics.pairedRatios(series, to: reference)
      return Statistics.median(of: ratios).map { ($0, Bootstrap.interval(ofMedian: ratios)) }
    }
  }

  private static let activation = Promise(
    name: "compare.activation.regions-1000", statement: "activation of 1,000 regions, filter load included",
    relation: .below, limit: 5, unit: "ms", needs: [("seccomp", "activation")]
  ) { results in
    guard let series = results.series("seccomp", "activation") else { return nil }
    return (
      series.median / 1_000_000,
      Bootstrap.interval(ofMedian: series.roundMedians.sorted { $0.key < $1.key }.map { $0.value / 1_000_000 })
    )
  }

  /// What the loop, the call and the clock put on a figure, where they put most. That the selector is set and reset at each
  /// crossing is sud-selector's own price.
  private static let harness = Promise(
    name: "compare.harness", statement: "what measuring adds to a call, at most", relation: .atMost, limit: 2,
    unit: "ns", needs: [(Roster.baseline, "harness"), ("seccomp", "harness")]
  ) { results in
    let rows = results.combinations.filter { $0.workload == "harness" && $0.mechanism != Roster.alternative }
    let all = rows.compactMap { results[$0].series }
    guard let worst = all.max(by: { $0.median < $1.median }) else { return nil }
    return (
      worst.median,
      Bootstrap.interval(ofMedian: worst.roundMedians.sorted { $0.key < $1.key }.map(\.value))
    )
  }
}

extension Bar {
  /// What has to be measured for all bars.
  package static let combinations = Roster.combinations(
    mechanisms: [Roster.baseline, "seccomp", Roster.alternative],
    workloads: ["getppid", "trap-value", "regions-1", "regions-1024", "activation", "harness"])

  /// The bars whose combinations were measured.
  package static func all(in results: ComparisonResults) -> [Bar] { Promise.all.compactMap { $0.bar(in: results) } }
}
