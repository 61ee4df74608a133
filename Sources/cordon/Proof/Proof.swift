import FilterCompiler

/// What `prove` and `diff` have in common.
enum Proof {
  /// Runs a proof; where it is not possible, says at which byte of which file.
  static func difference(
    _ files: [InputFile], _ prove: () throws(ProofError) -> Counterexample?
  ) throws(CommandFailure) -> Counterexample? {
    do {
      return try prove()
    } catch {
      throw .badInput(
        error.filter.map { files[$0].name } ?? "proof", error,
        remedy: "nothing is proved, neither yes nor no; `cordon check` says what becomes of single calls")
    }
  }

  /// The two verdicts, so that they can be told apart.
  static func words(_ found: Counterexample) -> (left: String, right: String) {
    let words = ("\(found.left)", "\(found.right)")
    guard words.0 == words.1 else { return words }
    return ("\(words.0) (\(hexadecimal(found.left.rawValue)))", "\(words.1) (\(hexadecimal(found.right.rawValue)))")
  }
}
