/// Text as it stands in XML and HTML.
package enum XMLText {
  /// Text that stands for itself, in content and in quoted attributes.
  package static func escaped(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      // XML has no control characters, not even escaped.
      case "\u{0}"..<" ", "\u{7f}", "\u{fffe}", "\u{ffff}": "\u{fffd}"
      default: String(scalar)
      }
    }.joined()
  }
}
