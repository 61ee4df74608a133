/// The results as people read them: at most 110 columns.
package struct ComparisonReport: Sendable {
  private let host: Host
  private let loadBefore: [Double]
  private let loadAfter: [Double]
  private let processor: Int?
  private let results: ComparisonResults

  static let width = 110
  /// What the first two columns of the table leave.
  private static let reasonWidth = 80

  package init(
    host: Host, loadBefore: [Double], loadAfter: [Double], processor: Int?, results: ComparisonResults
  ) {
    self.host = host
    self.loadBefore = loadBefore
    self.loadAfter = loadAfter
    self.processor = processor
    self.results = results
  }

  /// All of it, each line ended by a newline.
  package func text() -> String {
    let blocks = [
      heading(), table(), notes(), latencies(), programs(), bars(), conformance(), published(),
    ]
    return blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private func heading() -> [String] {
    let rounds = "\(results.rounds) round\(results.rounds == 1 ? "" : "s")"
    let seconds = Figure.decimal(results.elapsed / .seconds(1), digits: 0)
    var lines = ["cordon compare: \(BuildMode.current.rawValue) build, \(rounds), \(seconds) s"]
    if results.isPartial { lines[0] += "; INTERRUPTED: not all rounds were measured" }
    if BuildMode.current == .debug { lines[0] += "; DEBUG BUILD: these figures say little" }
    let place = processor.map { "all on number \($0)" } ?? "not pinned"
    var table = TextTable([.left, .left])
    table.addOpen(["kernel", "\(host.kernel) \(host.architecture), BPF JIT \(host.jit.rawValue), clock \(host.clock)"])
    table.addOpen(["processor", "\(host.processor), \(host.processorCount) usable, \(place)"])
    table.addOpen(["load", "\(averages(loadBefore)) before, \(averages(loadAfter)) after"])
    let noise = Noise(results, loadBefore: loadBefore, processors: host.processorCount)
    for (index, line) in TextWrap.lines(noise.words, width: Self.width - 12).enumerated() {
      table.addOpen([index == 0 ? "noise" : "", line])
    }
    let affected = host.mitigations.filter { $0.value != "Not affected" }.sorted { $0.key < $1.key }
    for (label, prefix) in [("mitigated", "Mitigation"), ("vulnerable", "Vulnerable")] {
      let names = affected.filter { $0.value.hasPrefix(prefix) }.map(\.key)
      guard !names.isEmpty else { continue }
      let wrapped = TextWrap.lines(names.joined(separator: ", "), width: Self.width - 12)
      for (index, line) in wrapped.enumerated() { table.addOpen([index == 0 ? label : "", line]) }
    }
    lines += table.lines()
    return lines
  }

  private func averages(_ load: [Double]) -> String {
    load.isEmpty ? "unknown" : load.map { Figure.decimal($0, digits: 2) }.joined(separator: " ")
  }

  private func table() -> [String] {
    var table = TextTable([.left, .left, .right, .right, .right, .right, .right, .right, .right])
    table.add([
      "WORKLOAD", "MECHANISM", "MIN ns", "MEDIAN ns", "P99 ns", "SPREAD ns", "OVER none", "x none", "x selector",
    ])
    var workload: String?
    let rows = results.combinations.filter { !$0.isProgram }
    guard !rows.isEmpty else { return [] }
    for (index, combination) in rows.enumerated() {
      if combination.workload != workload { table.addBlank() }
      let label = combination.workload == workload ? "" : combination.workload
      workload = combination.workload
      if let series = results[combination].series {
        table.add([label, combination.mechanism] + figures(series, of: combination))
      } else {
        let reason = TextWrap.lines("- " + (results[combination].reason ?? ""), width: Self.reasonWidth, indent: 2)
        for (index, line) in reason.enumerated() {
          table.addOpen(index == 0 ? [label, combination.mechanism, line] : ["", "", line])
        }
      }
      if combination.workload == "sysinfo", index + 1 == rows.count || rows[index + 1].workload != "sysinfo" {
        let figure = PublishedFigure.proposed
        table.addOpen(["", "MEMMAP \(figure.source.rawValue)", "published: \(figure.published) over none, elsewhere"])
      }
    }
    return table.lines()
  }

  /// How slow the slow ones are, where every call was a sample.
  private func latencies() -> [String] {
    let rows = results.combinations.filter { $0.workload == "storm" }
    let percentiles = ["50", "90", "99", "99.9", "99.99"]
    var table = TextTable([.left] + percentiles.map { _ in .right })
    table.add(["A TRAPPED CALL, ns"] + percentiles.map { "p\($0)" })
    for row in rows {
      guard let found = results[row].series?.percentiles else { continue }
      table.add([row.mechanism] + percentiles.map { found[$0].map(nanoseconds) ?? "-" })
    }
    return rows.contains { results[$0].series != nil }
      ? table.lines() + ["Of all calls that the workload storm made; under none nothing changes meanwhile."] : []
  }

  /// The runs of whole programs, in milliseconds.
  private func programs() -> [String] {
    let rows = results.combinations.filter(\.isProgram)
    guard !rows.isEmpty else { return [] }
    var table = TextTable([.left, .left, .right, .right, .right, .right, .right])
    table.add(["PROGRAM", "MECHANISM", "MIN ms", "MEDIAN ms", "OVER none", "x none", "x strace"])
    var workload: String?
    for row in rows {
      let label = row.workload == workload ? "" : row.workload
      workload = row.workload
      guard let series = results[row].series else {
        let reason = TextWrap.lines("- " + (results[row].reason ?? ""), width: Self.reasonWidth, indent: 2)
        for (index, line) in reason.enumerated() {
          table.addOpen(index == 0 ? [label, row.mechanism, line] : ["", "", line])
        }
        continue
      }
      func milliseconds(_ value: Double) -> String { Figure.decimal(value / 1_000_000, digits: 1) }
      let baseline = row.mechanism == Roster.baseline ? nil : results[row.under(Roster.baseline)].series
      let overhead = baseline.flatMap { Statistics.pairedDifference(series, over: $0) }
      table.add([
        label, row.mechanism, milliseconds(series.minimum), milliseconds(series.median),
        overhead.map { Figure.signed($0 / 1_000_000, digits: 1) } ?? "-",
        ratio(series, to: results[row.under(Roster.baseline)].series),
        ratio(series, to: results[row.under("strace")].series),
      ])
    }
    return table.lines()
      + TextWrap.lines(
        "From a program's start to its end, on one processor, in one round of 4; its output is compared with that of "
          + "a run without a mechanism. seccomp and sud-exclusive: `cordon run --all`, every call trapped and let through.",
        width: Self.width)
  }

  private func figures(_ series: Series, of combination: Combination) -> [String] {
    let baseline = results[combination.under(Roster.baseline)].series
    let alternative = results[combination.under(Roster.alternative)].series
    let isBaseline = combination.mechanism == Roster.baseline
    let overhead = isBaseline ? nil : baseline.flatMap { Statistics.pairedDifference(series, over: $0) }
    return [
      nanoseconds(series.minimum), nanoseconds(series.median), nanoseconds(series.p99), nanoseconds(series.spread),
      overhead.map { Figure.signed($0, digits: digits(of: $0)) } ?? "-", ratio(series, to: baseline),
      ratio(series, to: alternative),
    ]
  }

  private func nanoseconds(_ value: Double) -> String { Figure.decimal(value, digits: digits(of: value)) }

  /// A digit after the point tells calls apart; in times of many microseconds it is noise.
  private func digits(of nanoseconds: Double) -> Int { abs(nanoseconds) < 100_000 ? 1 : 0 }

  private func ratio(_ series: Series, to reference: Series?) -> String {
    reference.flatMap { Statistics.pairedRatio(series, to: $0) }.map { Figure.decimal($0, digits: 2) } ?? "-"
  }

  private func notes() -> [String] {
    TextWrap.lines(
      "Each figure is per operation. A sample is the mean of a batch of about 30 us, less what reading the clock "
        + "costs; of activation, change and storm, a single one. Each round measures every row in a fresh process, in an order of its "
        + "own. SPREAD: median distance of the rounds' medians from their middle. OVER none, x none, x selector: ns above "
        + "none, and relative to none and to sud-selector, in the same round; median over rounds. What the loop and the "
        + "crossing put on a call is the workload harness, and is not subtracted.",
      width: Self.width)
  }

  private func bars() -> [String] {
    let bars = Bar.all(in: results)
    guard !bars.isEmpty else { return [] }
    var table = TextTable([.left, .right, .left, .left, .left])
    table.add(["BAR", "MEASURED", "95 %", "LIMIT", ""])
    for bar in bars {
      table.add([
        bar.statement, "\(Figure.decimal(bar.value, digits: 2)) \(bar.unit)",
        bar.interval.map { $0.map { Figure.decimal($0, digits: 2) }.joined(separator: "-") } ?? "-",
        "\(bar.relation.rawValue) \(Figure.decimal(bar.limit, digits: 2)) \(bar.unit)", bar.verdict.rawValue,
      ])
    }
    return table.lines()
      + TextWrap.lines(
        "Ratios are medians over rounds of the ratio within one round, or of two such differences. A bar is unsure where "
          + "its limit lies within the interval.", width: Self.width)
  }

  private func conformance() -> [String] { results.conformance?.lines(width: Self.width) ?? [] }

  private func published() -> [String] {
    guard results.combinations.contains(where: { $0.workload == "sysinfo" }) else { return [] }
    var table = TextTable([.left, .left, .left, .left])
    table.add(["PUBLISHED ELSEWHERE, over no mechanism", "FIGURE", "SOURCE", "NEAREST MEASURED HERE"])
    for figure in PublishedFigure.all {
      let here = figure.counterpart.flatMap { results.text(for: $0) }
      table.add([figure.subject, figure.published, figure.source.rawValue, here ?? "-"])
    }
    return table.lines() + PublishedFigure.Source.allCases.map { "\($0.rawValue) \($0.title)" }
  }
}
