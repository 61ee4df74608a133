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
}
