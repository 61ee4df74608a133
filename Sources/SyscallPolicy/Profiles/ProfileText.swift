/// A profile as it was written, for errors that show where they are.
struct ProfileText: Hashable, Sendable {
  /// A character of the text; both count from 1, columns in Unicode scalars.
  struct Place: Hashable, Sendable {
    let line: Int
    let column: Int

    static let start = Place(line: 1, column: 1)
  }

  /// How much of a line is shown.
  private static let shown = 100

  let file: String
  let text: String

  func error(at place: Place, _ problem: String, remedy: String? = nil) -> ProfileError {
    let place = withinText(place)
    return ProfileError(
      file: file, line: place.line, column: place.column, problem: Self.printable(problem), excerpt: excerpt(place),
      remedy: Self.printable(remedy ?? Self.manual))
  }

  /// The remedy where there is none for the one mistake.
  private static let manual = "Filters/README.md describes the format, with examples"

  /// The place of a byte of the text.
  func place(ofByte offset: Int) -> Place {
    var (line, column) = (1, 1)
    for scalar in String(decoding: text.utf8.prefix(max(offset, 0)), as: UTF8.self).unicodeScalars {
      if scalar == "\n" { (line, column) = (line + 1, 1) } else { column += 1 }
    }
    return Place(line: line, column: column)
  }

  /// The place itself, or where the text ends: what is missing at the end is reported for the line after it.
  private func withinText(_ place: Place) -> Place {
    let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    guard let last = lines.lastIndex(where: { !$0.isEmpty }), place.line > last + 1 else { return place }
    return Place(line: last + 1, column: lines[last].count + 1)
  }

  /// A text in one line, though it may name what stands in the file.
  private static func printable(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { $0.append(printable($1)) }
  }

  /// A character that takes a place and does nothing else.
  private static func printable(_ scalar: Unicode.Scalar) -> Character {
    scalar.properties.generalCategory == .control ? "\u{fffd}" : Character(scalar)
  }

  private func excerpt(_ place: Place) -> String {
    var line: [Unicode.Scalar] = []
    var number = 1
    // Lines end as YAML's do; a carriage return belongs to the newline behind it.
    for scalar in text.unicodeScalars where number <= place.line {
      if scalar == "\n" { number += 1 } else if number == place.line { line.append(scalar) }
    }
    if line.last == "\r" { line.removeLast() }
    // Of a long line what surrounds the place.
    let column = min(place.column, line.count + 1)
    let first = column > Self.shown ? column - Self.shown / 2 : 1
    let part = line[(first - 1)...].prefix(Self.shown)
    let shown = part.map { $0 == "\t" ? "\t" : Self.printable($0) }
    // A tab stays one, so that the caret stands below the character wherever tabs stop.
    let indent = shown.prefix(column - first).map { $0 == "\t" ? "\t" : " " }.joined()
    return String(shown) + "\n" + indent + "^"
  }
}
