/// What a comparison says in words: which mechanism for which need, on this kernel. Every sentence is computed from the
/// figures, and none is there without figures that carry it.
struct ComparisonAnswer {
  private let document: ComparisonDocument

  init(_ document: ComparisonDocument) { self.document = document }

  func sentences() -> [String] {
    [untrapped(), trapped(), breakEven(), regions(), missing(), noise()].compactMap(\.self)
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
    let rows = document.results.filter { $0.family == "regions" && $0.median != nil }
    let byMechanism = Dictionary(grouping: rows, by: \.mechanism)
    let parts = byMechanism.sorted { $0.key < $1.key }.compactMap { mechanism, rows -> String? in
      let sorted = rows.sorted { ($0.parameter["regions"] ?? 0) < ($1.parameter["regions"] ?? 0) }
      guard let few = sorted.first, let many = sorted.last, let low = few.median, let high = many.median, low > 0,
        let from = few.parameter["regions"], let to = many.parameter["regions"], from < to
      else { return nil }
      return "with \(Figure.grouped(to)) regions instead of \(from), an untrapped call under \(mechanism) takes "
        + "\(Figure.decimal(high / low, digits: 2)) times as long"
    }
    guard !parts.isEmpty else { return nil }
    return "Many scattered regions: " + parts.joined(separator: "; ") + "."
  }

  private func missing() -> String? {
    var reasons: [String: String] = [:]
    for row in document.results { if let reason = row.unavailable { reasons[row.mechanism] = reason } }
    // What was measured with one workload is not missing.
    for row in document.results where row.median != nil { reasons[row.mechanism] = nil }
    guard !reasons.isEmpty else { return nil }
    let parts = reasons.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }
    return "Not to be had here: \(parts.joined(separator: "; "))."
  }

  /// What to doubt.
  private func noise() -> String? {
    var doubts: [String] = []
    if document.isPartial == true { doubts.append("the run was interrupted after \(document.rounds ?? 0) rounds") }
    if document.host.build == BuildMode.debug.rawValue {
      doubts.append("it is a debug build, whose figures say little")
    }
    if let load = document.host.loadBefore.first, load > Double(document.host.processors) / 2 {
      doubts.append("the machine was busy before (load \(Figure.decimal(load, digits: 2)))")
    }
    let unsure = document.results.filter { row in
      guard let median = row.median, let interval = row.medianInterval, interval.count == 2, median > 0 else {
        return false
      }
      return (interval[1] - interval[0]) / median > 0.10
    }
    if !unsure.isEmpty {
      doubts.append(
        "\(unsure.count) of \(document.results.count) medians are known no better than to 10 % (among them "
          + "\(unsure[0].mechanism) with \(unsure[0].workload))")
    }
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
