/// Figures that are measured together.
struct MeasuredGroup: Sendable {
  let name: String
  let measure: @Sendable () async throws -> [BenchDocument.Figure]

  /// What came of some of them.
  struct Outcome {
    var figures: [BenchDocument.Figure] = []
    /// The names of those that could not be measured.
    var failed: [String] = []

    /// Whether every bar is known and holds.
    var isGood: Bool { failed.isEmpty && figures.allSatisfy(\.holds) }
  }

  /// Measures one after the other. One that cannot be measured says why, and keeps none of the others from it.
  /// - Parameter show: is given each group's figures as soon as they are known.
  static func measureAll(
    _ groups: [MeasuredGroup], show: ([BenchDocument.Figure]) throws -> Void, complain: (String) -> Void
  ) async rethrows -> Outcome {
    var outcome = Outcome()
    for group in groups {
      let figures: [BenchDocument.Figure]
      do {
        figures = try await group.measure()
      } catch {
        complain("\(group.name) could not be measured: \(error)")
        outcome.failed.append(group.name)
        continue
      }
      outcome.figures += figures
      try show(figures)
    }
    return outcome
  }
}
