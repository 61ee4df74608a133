/// The charts of a comparison, as far as it measured what they show. Each is one SVG element.
struct ComparisonCharts {
  private let document: ComparisonDocument

  init(_ document: ComparisonDocument) { self.document = document }

  /// All charts that there are figures for, in the order of a report.
  func all() -> [String] {
    [untrapped()?.svg(), trapped()?.svg()].compactMap(\.self) + parameters().map { $0.svg() }
      + [change()?.svg(), percentiles()?.svg(), programs()?.svg()].compactMap(\.self)
  }

  /// What mechanisms add to calls that are not trapped.
  func untrapped() -> BarChart? {
    bars(
      title: "What an untrapped call costs more than without any mechanism", of: ["getppid", "read", "sysinfo"],
      value: \.overhead, interval: \.overheadInterval)
  }

  /// What a trapped call costs in all.
  func trapped() -> BarChart? {
    let workloads = document.workloads.filter { $0.hasPrefix("trap-") }
    return bars(
      title: "What a trapped call costs", of: workloads, value: \.median, interval: \.medianInterval,
      except: [Roster.baseline])
  }

  /// What one change of the regions takes.
  func change() -> BarChart? {
    bars(title: "What one change of the regions takes", of: ["change"], value: \.median, interval: \.medianInterval)
  }

  /// How many times as long whole programs take.
  func programs() -> BarChart? {
    bars(
      title: "Whole programs, all calls trapped and let through", unit: "times the native run",
      of: document.workloads.filter { $0.hasPrefix(ProgramWorkload.prefix) }, value: \.ratioToNone,
      interval: \.ratioToNoneInterval)
  }

  private func bars(
    title: String, unit: String = "ns", of workloads: [String], value: KeyPath<ComparisonRow, Double?>,
    interval: KeyPath<ComparisonRow, [Double]?>, except: Set<String> = []
  ) -> BarChart? {
    let groups = workloads.compactMap { workload -> BarChart.Group? in
      let bars = document.results.filter { $0.workload == workload && !except.contains($0.mechanism) }
        .compactMap { row in
          row[keyPath: value].map { value in
            BarChart.Bar(
              name: row.mechanism, value: max(value, 0), interval: row[keyPath: interval], hue: hue(row.mechanism))
          }
        }
      return bars.isEmpty ? nil : BarChart.Group(name: workload, bars: bars)
    }
    return groups.isEmpty ? nil : BarChart(title: title, unit: unit, groups: groups)
  }

  /// One chart for each family of workloads that differ in one number: regions, changes, threads, calls between traps.
  func parameters() -> [LineChart] {
    var families: [String: [ComparisonRow]] = [:]
    for row in document.results where row.median != nil {
      guard let key = row.parameter.keys.first, row.parameter.count == 1 else { continue }
      families["\(row.family) \(key)", default: []].append(row)
    }
    return families.sorted { $0.key < $1.key }.compactMap { _, rows in
      guard let key = rows[0].parameter.keys.first else { return nil }
      let lines = Dictionary(grouping: rows, by: \.mechanism).sorted { hue($0.key) < hue($1.key) }
        .compactMap { mechanism, rows -> LineChart.Line? in
          let points = rows.compactMap { row in
            row.parameter[key].flatMap { x in row.median.map { (x: Double(x), y: $0) } }
          }.sorted { $0.x < $1.x }
          return points.count > 1 ? LineChart.Line(name: mechanism, points: points, hue: hue(mechanism)) : nil
        }
      guard !lines.isEmpty else { return nil }
      let values = lines.flatMap { $0.points.map(\.y) }.filter { $0 > 0 }
      return LineChart(
        title: Self.titles[rows[0].family] ?? "\(rows[0].family) against \(key)", subject: Self.subjects[key] ?? key,
        unit: "ns", lines: lines, isTenfold: (values.max() ?? 1) > (values.min() ?? 1) * Self.wide)
    }
  }

  /// What lies further apart than by this factor is told apart by powers of ten.
  private static let wide = 30.0
  private static let titles = [
    "regions": "An untrapped call beside many regions",
    "changes": "An untrapped call after many changes of the regions",
    "threads": "A trapped call, made by several threads at once",
    "crossing": "A trapped call and so many native ones after it",
  ]
  private static let subjects = ["native": "native calls for each trapped one"]

  /// How long the slow ones among trapped calls take, where each of them was a sample.
  func percentiles() -> LineChart? {
    // The share of samples that are slower, as "one in so many": 50 % is one in 2, 99.99 % one in 10,000.
    let oneIn = [("50", 2.0), ("90", 10), ("99", 100), ("99.9", 1_000), ("99.99", 10_000)]
    let lines = document.results.filter { $0.workload == "storm" }.compactMap { row -> LineChart.Line? in
      guard let percentiles = row.percentiles else { return nil }
      let points = oneIn.compactMap { key, x in percentiles[key].map { (x: x, y: $0) } }
      return LineChart.Line(name: row.mechanism, points: points, hue: hue(row.mechanism))
    }
    guard !lines.isEmpty else { return nil }
    return LineChart(
      title: "A trapped call in a storm of changes: what all but one in so many do not exceed",
      subject: "all but one call in", unit: "ns", lines: lines, isTenfold: true)
  }

  /// A mechanism has the same colour in every chart, whatever else was measured.
  private func hue(_ mechanism: String) -> Int {
    Roster.mechanisms.firstIndex { $0.name == mechanism } ?? Roster.mechanisms.count
  }
}

extension ComparisonDocument {
  /// The workloads that there are rows for, in their order.
  var workloads: [String] {
    var seen: Set<String> = []
    return results.map(\.workload).filter { seen.insert($0).inserted }
  }

  /// The row of a mechanism and a workload.
  func row(_ mechanism: String, _ workload: String) -> ComparisonRow? {
    results.first { $0.mechanism == mechanism && $0.workload == workload }
  }
}

extension ComparisonRow {
  /// What a workload is called without the number that it ends with: `regions` of `regions-64`.
  var family: String {
    guard let dash = workload.lastIndex(of: "-"), workload[workload.index(after: dash)...].allSatisfy(\.isNumber)
    else { return workload }
    return String(workload[..<dash])
  }
}
