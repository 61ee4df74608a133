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

    /// What a comparison says of a promise.
    init(_ promise: Promise, in results: ComparisonResults) {
      if let bar = promise.bar(in: results) {
        self.init(bar)
      } else {
        self.init(
          name: promise.name, unit: promise.unit, relation: promise.relation, limit: promise.limit,
          reason: promise.obstacle(in: results))
      }
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
    init(name: String, unit: String, relation: Bar.Relation = .atMost, limit: Double, reason: String) {
      self.name = name
      self.unit = unit
      self.limit = limit
      self.reason = reason
      value = nil
      self.relation = relation.rawValue
      verdict = "not measured"
    }

    /// Whether the value is known and within the limit.
    var holds: Bool { verdict == Bar.Verdict.ok.rawValue }

    /// `NAME VALUE UNIT  bar OP LIMIT  ok|MISSED`, or `NAME - UNIT  bar OP LIMIT  not measured: REASON`.
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
