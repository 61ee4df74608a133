/// Names given on the command line, out of a known set.
enum NameSelection {
  /// - Throws: A usage error that names what was probably meant.
  static func check(_ names: [String], among known: [String], option: String) throws(CommandFailure) {
    for name in names where !known.contains(name) {
      let near = nearest(to: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
      throw .usage(
        option, "there is no '\(name)'\(near)", remedy: "known are \(known.joined(separator: ", "))")
    }
  }

  /// The known name with the fewest changes from `name`; nil if none is near.
  static func nearest(to name: String, among known: [String]) -> String? {
    let distances = known.map { (name: $0, distance: distance($0, name.lowercased())) }
    guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(2, name.count / 2) ? best.name : nil
  }

  /// How many characters must be added, removed or changed (Levenshtein's distance). Takes the product of the lengths.
  static func distance(_ first: String, _ second: String) -> Int {
    let second = Array(second)
    var row = Array(0...second.count)
    for (index, character) in first.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in second.indices {
        let replaced = diagonal + (character == second[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
      }
    }
    return row[second.count]
  }
}
