/// What a probe found.
package enum Finding: Sendable, Hashable {
  case yes
  /// It does, in a way that is worth a word.
  case partly(String)
  case no(String)
  /// This kernel, machine or process lacks the mechanism.
  case unavailable(String)
  /// The probe's process died, hung or saw something wrong.
  case broken(String)

  /// A word for it, in tables and JSON.
  package var word: String {
    switch self {
    case .yes: "yes"
    case .partly: "partly"
    case .no: "no"
    case .unavailable: "unavailable"
    case .broken: "broken"
    }
  }

  /// What more there is to say.
  package var detail: String? {
    switch self {
    case .yes: nil
    case .partly(let detail), .no(let detail), .unavailable(let detail), .broken(let detail): detail
    }
  }
}

/// As JSON, `{"found": "partly", "detail": "…"}`.
extension Finding: Codable {
  private enum CodingKeys: String, CodingKey { case found, detail }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let word = try values.decode(String.self, forKey: .found)
    let detail = try values.decodeIfPresent(String.self, forKey: .detail) ?? ""
    let all: [Finding] = [.yes, .partly(detail), .no(detail), .unavailable(detail), .broken(detail)]
    guard let finding = all.first(where: { $0.word == word }) else {
      throw DecodingError.dataCorruptedError(forKey: .found, in: values, debugDescription: "'\(word)' is no finding")
    }
    self = finding
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(word, forKey: .found)
    try values.encodeIfPresent(detail, forKey: .detail)
  }
}
