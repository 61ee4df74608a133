import CordonComparator

/// What `make bench` writes: the figures with their bars, and the machine they are of.
struct BenchDocument: Encodable {
  struct Figure: Encodable {
    let name: String
    let value: Double
    let unit: String
    let relation: String
    let limit: Double
    let verdict: String

    init(_ bar: Bar) {
      name = bar.name
      value = bar.value
      unit = bar.unit
      relation = bar.relation.rawValue
      limit = bar.limit
      // A figure that may lie on either side is judged as it is.
      verdict = (bar.holds ? Bar.Verdict.ok : .missed).rawValue
    }

    /// A figure that is to be at most `limit`.
    init(name: String, value: Double, unit: String, limit: Double) {
      self.name = name
      self.value = value
      self.unit = unit
      self.limit = limit
      relation = Bar.Relation.atMost.rawValue
      verdict = (value <= limit ? Bar.Verdict.ok : .missed).rawValue
    }

    /// `NAME VALUE UNIT  bar OP LIMIT  ok|MISSED`
    var line: String { "\(name) \(rounded(value)) \(unit)  bar \(relation) \(rounded(limit))  \(verdict)" }

    private func rounded(_ value: Double) -> String { CordonComparator.Figure.decimal(value, digits: 2) }
  }

  private(set) var schema = "cordon.bench/1"
  let host: HostDocument
  let figures: [Figure]
}
