import FoundationEssentials

/// The JSON of `cordon doctor --json`: `cordon.doctor/1`.
struct DoctorDocument: Encodable {
  private var schema = "cordon.doctor/1"
  /// Whether seccomp filters can be used here.
  private var usable: Bool
  private var facts: [Fact]

  init(_ diagnosis: Diagnosis) {
    usable = diagnosis.canFilter
    facts = diagnosis.facts
  }

  func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}
