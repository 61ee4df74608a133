/// A promise of the project, judged by a comparison's own figures.
package struct Bar: Sendable, Hashable {
  package enum Verdict: String, Sendable, Hashable {
    case ok
    case missed = "MISSED"
  }

  /// How a value stands to its limit where the bar holds.
  package enum Relation: String, Sendable, Hashable {
    case atMost = "<="
    case below = "<"
  }

  /// Its name in `make bench`, which stays what it is.
  package let name: String
  /// What is compared with what.
  package let statement: String
  package let value: Double
  package let relation: Relation
  package let limit: Double
  /// `x` for a ratio, `ms` for a time.
  package let unit: String

  package init(
    name: String, statement: String, value: Double, relation: Relation, limit: Double, unit: String
  ) {
    self.name = name
    self.statement = statement
    self.value = value
    self.relation = relation
    self.limit = limit
    self.unit = unit
  }

  package var verdict: Verdict {
    switch relation {
    case .atMost: value <= limit ? .ok : .missed
    case .below: value < limit ? .ok : .missed
    }
  }

  /// What has to be measured for all bars.
  package static let combinations = Roster.combinations(
    mechanisms: [Roster.baseline, "seccomp", Roster.alternative],
    workloads: ["getppid", "trap-value", "regions-1", "regions-1024", "activation"])

  /// The bars whose combinations were measured.
  package static func all(in results: ComparisonResults) -> [Bar] {
    [untrappedCall(results), trappedCall(results), manyRegions(results), activation(results)].compactMap { $0 }
  }

  /// What seccomp adds to an untrapped call, against what the kernel's own alternative adds.
  private static func untrappedCall(_ results: ComparisonResults) -> Bar? {
    guard let seccomp = results.overhead(of: "seccomp", on: "getppid"),
      let alternative = results.overhead(of: Roster.alternative, on: "getppid"), alternative > 0
    else { return nil }
    return Bar(
      name: "compare.getppid.seccomp-to-selector", statement: "getppid: seccomp over none / sud-selector over none",
      value: seccomp / alternative,
      relation: .atMost, limit: 1.15, unit: "x")
  }

  private static func trappedCall(_ results: ComparisonResults) -> Bar? {
    guard let seccomp = results.series("seccomp", "trap-value"),
      let alternative = results.series(Roster.alternative, "trap-value"),
      let ratio = Statistics.pairedRatio(seccomp, to: alternative)
    else { return nil }
    return Bar(
      name: "compare.trap-value.seccomp-to-selector", statement: "trap-value: seccomp / sud-selector", value: ratio,
      relation: .atMost, limit: 1.10, unit: "x")
  }

  /// What more regions cost a call that is not trapped. The tree is a few levels higher, no more.
  private static func manyRegions(_ results: ComparisonResults) -> Bar? {
    guard let many = results.series("seccomp", "regions-1024"), let one = results.series("seccomp", "regions-1"),
      let ratio = Statistics.pairedRatio(many, to: one)
    else { return nil }
    return Bar(
      name: "compare.getppid.regions-1024-to-1", statement: "getppid under seccomp: 1,024 regions / 1 region",
      value: ratio, relation: .atMost, limit: 1.10, unit: "x")
  }

  private static func activation(_ results: ComparisonResults) -> Bar? {
    guard let series = results.series("seccomp", "activation") else { return nil }
    return Bar(
      name: "compare.activation.regions-1000", statement: "activation of 1,000 regions, filter load included",
      value: series.median / 1_000_000,
      relation: .below, limit: 5, unit: "ms")
  }
}
