/// A promise of the project, judged by a comparison's own figures.
package struct Bar: Sendable, Hashable, Codable {
  package enum Verdict: String, Sendable, Hashable, Codable {
    case ok
    case missed = "MISSED"
    /// The limit lies within the interval in which the value lies.
    case unsure
  }

  /// How a value stands to its limit where the bar holds.
  package enum Relation: String, Sendable, Hashable, Codable {
    case atMost = "<="
    case below = "<"

    fileprivate func holds(_ value: Double, _ limit: Double) -> Bool {
      switch self {
      case .atMost: value <= limit
      case .below: value < limit
      }
    }
  }

  /// Its name in `make bench`, which stays what it is.
  package let name: String
  /// What is compared with what.
  package let statement: String
  package let value: Double
  /// Between which the value lies with 95 % confidence; nil where that is not known.
  package let interval: [Double]?
  package let relation: Relation
  package let limit: Double
  /// `x` for a ratio, `ms` or `ns` for a time.
  package let unit: String
  /// What is to be made of the value, as far as it is known.
  package let verdict: Verdict

  package init(
    name: String, statement: String, value: Double, interval: [Double]? = nil, relation: Relation, limit: Double,
    unit: String
  ) {
    self.name = name
    self.statement = statement
    self.value = value
    self.relation = relation
    self.limit = limit
    self.unit = unit
    self.interval = interval
    let answers = Set(([value] + (interval ?? [])).map { relation.holds($0, limit) })
    verdict = answers.count > 1 ? .unsure : answers.contains(true) ? .ok : .missed
  }

  /// Whether the value by itself is within the limit.
  package var holds: Bool { relation.holds(value, limit) }

  /// What has to be measured for all bars.
  package static let combinations = Roster.combinations(
    mechanisms: [Roster.baseline, "seccomp", Roster.alternative],
    workloads: ["getppid", "trap-value", "regions-1", "regions-1024", "activation", "harness"])

  /// The bars whose combinations were measured.
  package static func all(in results: ComparisonResults) -> [Bar] {
    [untrappedCall(results), trappedCall(results), manyRegions(results), activation(results), harness(results)]
      .compactMap { $0 }
  }

  /// What seccomp adds to an untrapped call, against what the kernel's own alternative adds.
  private static func untrappedCall(_ results: ComparisonResults) -> Bar? {
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
    guard let value = ratio(rounds) else { return nil }
    return Bar(
      name: "compare.getppid.seccomp-to-selector", statement: "getppid: seccomp over none / sud-selector over none",
      value: value, interval: Bootstrap.interval(of: rounds, ratio), relation: .atMost, limit: 1.15, unit: "x")
  }

  private static func trappedCall(_ results: ComparisonResults) -> Bar? {
    guard let seccomp = results.series("seccomp", "trap-value"),
      let alternative = results.series(Roster.alternative, "trap-value")
    else { return nil }
    return ratio(
      seccomp, to: alternative, name: "compare.trap-value.seccomp-to-selector",
      statement: "trap-value: seccomp / sud-selector")
  }

  /// What more regions cost a call that is not trapped. The tree is a few levels higher, no more.
  private static func manyRegions(_ results: ComparisonResults) -> Bar? {
    guard let many = results.series("seccomp", "regions-1024"), let one = results.series("seccomp", "regions-1")
    else { return nil }
    return ratio(
      many, to: one, name: "compare.getppid.regions-1024-to-1",
      statement: "getppid under seccomp: 1,024 regions / 1 region")
  }

  /// A ratio within rounds that is to be at most 1.10.
  private static func ratio(_ series: Series, to reference: Series, name: String, statement: String) -> Bar? {
    let ratios = Statistics.pairedRatios(series, to: reference)
    guard let value = Statistics.median(of: ratios) else { return nil }
    return Bar(
      name: name, statement: statement, value: value, interval: Bootstrap.interval(ofMedian: ratios), relation: .atMost,
      limit: 1.10, unit: "x")
  }

  private static func activation(_ results: ComparisonResults) -> Bar? {
    guard let series = results.series("seccomp", "activation") else { return nil }
    return Bar(
      name: "compare.activation.regions-1000", statement: "activation of 1,000 regions, filter load included",
      value: series.median / 1_000_000,
      interval: Bootstrap.interval(
        ofMedian: series.roundMedians.sorted { $0.key < $1.key }.map { $0.value / 1_000_000 }),
      relation: .below, limit: 5, unit: "ms")
  }

  /// What the loop, the call and the clock put on a figure, where they put most. That the selector is set and reset at each
  /// crossing is sud-selector's own price.
  private static func harness(_ results: ComparisonResults) -> Bar? {
    let rows = results.combinations.filter { $0.workload == "harness" && $0.mechanism != Roster.alternative }
    let all = rows.compactMap { results[$0].series }
    guard let worst = all.max(by: { $0.median < $1.median }) else { return nil }
    return Bar(
      name: "compare.harness", statement: "what measuring adds to a call, at most", value: worst.median,
      interval: Bootstrap.interval(ofMedian: worst.roundMedians.sorted { $0.key < $1.key }.map(\.value)),
      relation: .atMost, limit: 2, unit: "ns")
  }
}
