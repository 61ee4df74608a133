import FilterCompiler

/// Names given on the command line, out of a known set.
enum NameSelection {
  /// - Throws: A usage error that says what was probably meant.
  static func check(_ names: [String], among known: [String], option: String) throws(CommandFailure) {
    for name in names where !known.contains(name) {
      let near = NearNames.of(name, among: known).map { "'\($0)'" }.joined(separator: ", ")
      throw .usage(
        option, "there is no '\(name)'",
        remedy: near.isEmpty ? "known are \(known.joined(separator: ", "))" : "did you mean \(near)?")
    }
  }
}
