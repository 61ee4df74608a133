/// A piece of JSON, as little as the formats here need: the compiler does without Foundation.
package struct JSONText {
  package let text: String

  static func number(_ value: some FixedWidthInteger) -> JSONText { JSONText(text: String(value)) }

  package static func string(_ value: String) -> JSONText {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return JSONText(text: text + "\"")
  }

  /// An object on one line.
  static func object(_ members: [(String, JSONText)]) -> JSONText {
    JSONText(text: "{" + lines(members).joined(separator: ", ") + "}")
  }

  /// An array on one line.
  static func array(_ elements: [JSONText]) -> JSONText {
    JSONText(text: "[" + elements.map(\.text).joined(separator: ", ") + "]")
  }

  /// An array with an element on each line.
  static func rows(_ elements: [JSONText]) -> JSONText {
    guard !elements.isEmpty else { return JSONText(text: "[]") }
    return JSONText(text: "[\n" + elements.map { "    " + $0.text }.joined(separator: ",\n") + "\n  ]")
  }

  /// An object with a member on each line.
  static func document(_ members: [(String, JSONText)]) -> JSONText {
    JSONText(text: "{\n" + lines(members).map { "  " + $0 }.joined(separator: ",\n") + "\n}")
  }

  private static func lines(_ members: [(String, JSONText)]) -> [String] {
    members.map { "\(string($0.0).text): \($0.1.text)" }
  }
}
