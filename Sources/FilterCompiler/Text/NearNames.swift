/// Finds the names that somebody may have meant by one that does not exist.
package enum NearNames {
  /// At most three of `names` that resemble `wanted`, the nearest first; none where nothing does.
  package static func of(_ wanted: String, among names: [String]) -> [String] {
    let plain = wanted.lowercased().filter { !"*?[]".contains($0) }
    guard !plain.isEmpty else { return [] }
    let ranked = names.compactMap { name -> (name: String, distance: Int, edits: Int)? in
      let candidate = name.lowercased()
      // Part of a name is as good as a slip: people leave out `lib` and version numbers.
      let isPart = candidate.contains(plain) || candidate.count > 2 && plain.contains(candidate)
      let edits = edits(from: plain, to: candidate)
      let distance = isPart ? 1 : edits
      return distance <= max(2, (plain.count + 2) / 3) ? (name, distance, edits) : nil
    }
    return ranked.sorted { ($0.distance, $0.edits, $0.name) < ($1.distance, $1.edits, $1.name) }.prefix(3).map(\.name)
  }

  /// How many characters have to be put in, left out or replaced (Levenshtein).
  private static func edits(from source: String, to target: String) -> Int {
    let target = Array(target)
    var row = Array(0...target.count)
    for (index, character) in source.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in target.indices {
        let replaced = diagonal + (target[column] == character ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
      }
    }
    return row[target.count]
  }
}
