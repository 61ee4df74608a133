import FoundationEssentials

/// The JSON of `cordon compare --json`: `cordon.compare/1`. Every other form of a report is made from it.
package struct ComparisonDocument: Sendable, Hashable, Codable {
  package static let schema = "cordon.compare/1"

  private var schema = ComparisonDocument.schema
  package var host: HostDocument
  package var results: [ComparisonRow]
  /// Rounds that were measured in full.
  package var rounds: Int?
  /// How long the measuring took, in nanoseconds.
  package var elapsed: Int64?
  /// Whether it was ended before its time.
  package var isPartial: Bool?
  /// What each mechanism does and does not do.
  package var conformance: Conformance?
  /// What disturbed it.
  package var noise: Noise?
  /// The project's promises, as far as these figures judge them.
  package var bars: [Bar]?

  package init(host: Host, loadBefore: [Double], loadAfter: [Double], results: ComparisonResults) {
    self.host = HostDocument(host: host, loadBefore: loadBefore, loadAfter: loadAfter)
    self.results = results.combinations.map { ComparisonRow($0, in: results) }
    rounds = results.rounds
    elapsed = Int64(results.elapsed / .nanoseconds(1))
    isPartial = results.isPartial
    conformance = results.conformance
    noise = Noise(results, loadBefore: loadBefore, processors: host.processorCount)
    let bars = Bar.all(in: results)
    self.bars = bars.isEmpty ? nil : bars
  }

  /// The mechanisms that nothing was measured of, by name, with the reason.
  package var missingMechanisms: [(mechanism: String, reason: String)] {
    var reasons: [String: String] = [:]
    for row in results { if let reason = row.unavailable { reasons[row.mechanism] = reason } }
    // What was measured with one workload is not missing.
    for row in results where row.median != nil { reasons[row.mechanism] = nil }
    return reasons.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private enum CodingKeys: String, CodingKey {
    case schema, host, results, rounds, conformance, noise, bars
    case elapsed = "elapsed_ns"
    case isPartial = "partial"
  }

  /// The document as text, its keys in a stable order, ended by a newline.
  package func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }

  /// Reads what ``json()`` wrote, here or on another machine.
  package init(json bytes: [UInt8]) throws(ComparisonDocumentError) {
    struct Header: Decodable { var schema: String? }
    let data = Data(bytes)
    let decoder = JSONDecoder()
    let header: Header
    do { header = try decoder.decode(Header.self, from: data) } catch { throw .notJSON }
    guard header.schema == Self.schema else { throw .schema(header.schema) }
    do { self = try decoder.decode(Self.self, from: data) } catch { throw .malformed(Self.words(error)) }
  }

  private static func words(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    let (context, missing): (DecodingError.Context, String?) =
      switch error {
      case .keyNotFound(let key, let context): (context, key.stringValue)
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): (context, nil)
      @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), nil)
      }
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
    let place = path.isEmpty ? "the document" : String(path.drop { $0 == "." })
    return missing.map { "\(place) has no '\($0)'" } ?? "\(place) is not what it should be"
  }
}

/// Why a file is not a comparison's JSON.
package enum ComparisonDocumentError: Error, Sendable, Hashable, CustomStringConvertible {
  case notJSON
  /// It has another `schema`, or none.
  case schema(String?)
  case malformed(String)

  package var description: String {
    switch self {
    case .notJSON: "is not a JSON object"
    case .schema(let found):
      found.map { "has the schema '\($0)', not '\(ComparisonDocument.schema)'" }
        ?? "has no schema; '\(ComparisonDocument.schema)' is wanted"
    case .malformed(let what): "is a damaged \(ComparisonDocument.schema): \(what)"
    }
  }
}
