/// What a comparison says in words: which mechanism for which need, on this kernel. Every sentence is computed from the
/// figures, and none is there without figures that carry it.
struct ComparisonAnswer {
  private let document: ComparisonDocument

  init(_ document: ComparisonDocument) { self.document = document }

  func sentences() -> [String] {
    [untrapped(), trapped(), breakEven(), regions(), changes(), storm(), programs(), missing(), doubts()]
      .compactMap(\.self)
  }

  /// The mechanisms in the order of what they add to an untrapped call.
  private func untrapped() -> String? {
    let ranked = ranking("getppid", by: \.overhead)
    guard let best = ranked.first, let native = document.row(Roster.baseline, "getppid")?.median else { return nil }
    let others = ranked.dropFirst().map { "\($0.name) +\(BarChart.text($0.value))" }
    return
      "Where trapped calls are rare, what counts is what all other calls pay: \(best.name) adds least to an untrapped "
      + "getppid(2), \(BarChart.text(best.value)) ns over \(BarChart.text(native)) ns"
      + (others.isEmpty ? "." : " (\(others.joined(separator: ", ")) ns).")
  }

  private func trapped() -> String? {
    let ranked = ranking("trap-value", by: \.median)
    guard let best = ranked.first else { return nil }
    let others = ranked.dropFirst().map { "\($0.name) \(BarChart.text($0.value))" }
    return "Where traps are frequent: \(best.name) answers a trapped call fastest, in \(BarChart.text(best.value)) ns"
      + (others.isEmpty ? "." : " (\(others.joined(separator: ", ")) ns).")
  }

  /// How rare traps must be for the mechanism that is cheapest untrapped to be the cheapest in all.
  private func breakEven() -> String? {
    guard let light = ranking("getppid", by: \.overhead).first, let fast = ranking("trap-value", by: \.median).first,
      light.name != fast.name, let lightTrap = document.row(light.name, "trap-value")?.median,
      let fastCall = document.row(fast.name, "getppid")?.overhead, fastCall > light.value
    else { return nil }
    let calls = (lightTrap - fast.value) / (fastCall - light.value)
    return
      "From \(Figure.decimal(calls.rounded(.up), digits: 0)) untrapped calls for each trapped one on, \(light.name) costs "
      + "less in all than \(fast.name)."
  }

  private func regions() -> String? {
    growth("regions", "regions").map { "Many scattered regions: \($0)." }
  }

  /// What is left of an untrapped call's price when regions have come one by one, and what that takes.
  private func changes() -> String? {
    guard let growth = growth("changes", "changes") else { return nil }
    let times = ranking("change", by: \.median).map { "\($0.name) \(Self.microseconds($0.value))" }
    return "Regions that keep changing: \(growth)"
      + (times.isEmpty ? "." : "; one change takes \(times.joined(separator: ", ")) µs.")
  }

  /// How an untrapped call's price grows in a family of workloads.
  private func growth(_ family: String, _ key: String) -> String? {
    let rows = document.results.filter { $0.family == family && $0.median != nil && $0.mechanism != Roster.baseline }
    // What grew from and to the same is told together.
    var parts: [(range: String, words: [String])] = []
    for (mechanism, rows) in Dictionary(grouping: rows, by: \.mechanism).sorted(by: { $0.key < $1.key }) {
      let sorted = rows.sorted { ($0.parameter[key] ?? 0) < ($1.parameter[key] ?? 0) }
      guard let few = sorted.first, let many = sorted.last, let low = few.median, let high = many.median, low > 0,
        let from = few.parameter[key], let to = many.parameter[key], from < to
      else { continue }
      let range = "with \(Figure.grouped(to)) \(key) instead of \(from)"
      let words = "\(Figure.decimal(high / low, digits: 2)) times as long under \(mechanism)"
      if let index = parts.firstIndex(where: { $0.range == range }) {
        parts[index].words.append(words)
      } else {
        parts.append((range, [words]))
      }
    }
    guard !parts.isEmpty else { return nil }
    return parts.map { "\($0.range) an untrapped call takes \($0.words.joined(separator: ", "))" }.joined(
      separator: "; ")
  }

  private func storm() -> String? {
    let parts = document.results.filter { $0.workload == "storm" && $0.mechanism != Roster.baseline }
      .compactMap { row -> String? in
        guard let usual = row.percentiles?["50"], let slow = row.percentiles?["99.99"] else { return nil }
        return "\(row.mechanism) \(Self.microseconds(usual)) and \(Self.microseconds(slow))"
      }
    guard !parts.isEmpty else { return nil }
    return
      "While regions change without pause, half of all trapped calls take no longer than the first, and all but one "
      + "in 10,000 no longer than the second of these: \(parts.joined(separator: ", ")) µs."
  }

  private func programs() -> String? {
    let rows = document.results.filter { $0.workload.hasPrefix(ProgramWorkload.prefix) && $0.ratioToNone != nil }
    let parts = Dictionary(grouping: rows, by: \.mechanism).sorted { $0.key < $1.key }.compactMap {
      mechanism, rows -> String? in
      let sorted = rows.sorted { ($0.ratioToNone ?? 0) < ($1.ratioToNone ?? 0) }
      guard let least = sorted.first, let most = sorted.last else { return nil }
      func words(_ row: ComparisonRow) -> String {
        "\(Figure.decimal(row.ratioToNone ?? 0, digits: 2)) (\(row.workload.dropFirst(ProgramWorkload.prefix.count)))"
      }
      return "under \(mechanism) \(words(least))" + (sorted.count > 1 ? " to \(words(most))" : "")
    }
    guard !parts.isEmpty else { return nil }
    return "Whole programs, with every call trapped and let through, take so many times as long as natively: "
      + parts.joined(separator: ", ") + "."
  }

  private static func microseconds(_ nanoseconds: Double) -> String { BarChart.text(nanoseconds / 1_000) }

  private func missing() -> String? {
    let parts = document.missingMechanisms.map { "\($0.mechanism) (\($0.reason))" }
    return parts.isEmpty ? nil : "Not to be had here: \(parts.joined(separator: "; "))."
  }

  /// What to doubt.
  private func doubts() -> String? {
    var doubts: [String] = []
    if document.isPartial == true { doubts.append("the run was interrupted after \(document.rounds ?? 0) rounds") }
    if document.host.build == BuildMode.debug.rawValue {
      doubts.append("it is a debug build, whose figures say little")
    }
    doubts += document.noise?.reasons ?? []
    return doubts.isEmpty ? nil : "To be taken with care: \(doubts.joined(separator: "; "))."
  }

  private func ranking(
    _ workload: String, by value: KeyPath<ComparisonRow, Double?>
  ) -> [(name: String, value: Double)] {
    document.results.filter { $0.workload == workload && $0.mechanism != Roster.baseline }
      .compactMap { row in row[keyPath: value].map { (row.mechanism, $0) } }
      .sorted { $0.1 < $1.1 }
  }
}
