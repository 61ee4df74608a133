import FoundationEssentials

/// The JSON of `cordon compare --json`: `cordon.compare/1`.
package struct ComparisonDocument: Sendable, Encodable {
  private var schema = "cordon.compare/1"
  private var host: HostDocument
  private var results: [ResultEntry]

  package init(host: Host, loadBefore: [Double], loadAfter: [Double], results: ComparisonResults) {
    self.host = HostDocument(host: host, loadBefore: loadBefore, loadAfter: loadAfter)
    self.results = results.combinations.map { ResultEntry($0, results[$0]) }
  }

  /// The document as text, its keys in a stable order, ended by a newline.
  package func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}

extension ComparisonDocument {
  /// Figures, or the reason why there are none.
  private struct ResultEntry: Encodable {
    var mechanism: String
    var workload: String
    var parameter: [String: Int]
    var samples: Int?
    var operations: Int?
    var minimum: Double?
    var median: Double?
    var p99: Double?
    var unavailable: String?

    init(_ combination: Combination, _ outcome: Outcome) {
      mechanism = combination.mechanism
      workload = combination.workload
      parameter = combination.parameter
      unavailable = outcome.reason
      guard let series = outcome.series else { return }
      samples = series.samples
      operations = series.operations
      minimum = series.minimum
      median = series.median
      p99 = series.p99
    }

    enum CodingKeys: String, CodingKey {
      case mechanism, workload, parameter, samples, operations, unavailable
      case minimum = "minimum_ns"
      case median = "median_ns"
      case p99 = "p99_ns"
    }
  }
}
