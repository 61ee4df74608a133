import CordonComparator

/// What `make bench` writes: the figures with their bars, and the machine they are of.
struct BenchDocument: Encodable {
  struct Figure: Encodable {
    let name: String
    /// nil where it could not be measured.
    let value: Double?
    let unit: String
    let relation: String
    let limit: Double
    let verdict: String
    /// Why it could not be measured.
    private(set) var reason: String?
    /// The same of the shortest times instead of the medians.
    private(set) var minimum: Double?

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
    init(name: String, value: Double, minimum: Double? = nil, unit: String, limit: Double) {
      self.minimum = minimum
      self.name = name
      self.value = value
      self.unit = unit
      self.limit = limit
      relation = Bar.Relation.atMost.rawValue
      verdict = (value <= limit ? Bar.Verdict.ok : .missed).rawValue
    }

    /// A figure that could not be measured: its bar does not hold.
    init(name: String, unit: String, limit: Double, reason: String) {
      self.name = name
      self.unit = unit
      self.limit = limit
      self.reason = reason
      value = nil
      relation = Bar.Relation.atMost.rawValue
      verdict = "FAILED"
    }

    /// `NAME VALUE UNIT  bar OP LIMIT  ok|MISSED`, or `NAME - UNIT  bar OP LIMIT  FAILED: REASON`.
    var line: String {
      let figure = "\(name) \(value.map(rounded) ?? "-") \(unit)  bar \(relation) \(rounded(limit))  \(verdict)"
      return reason.map { "\(figure): \($0)" } ?? figure
    }

    private func rounded(_ value: Double) -> String { CordonComparator.Figure.decimal(value, digits: 2) }
  }

  private(set) var schema = "cordon.bench/1"
  let host: HostDocument
  let figures: [Figure]
}
