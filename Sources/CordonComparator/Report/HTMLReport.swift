import FilterCompiler

/// Comparisons as one HTML file that needs no other: the answer in words, charts, figures, method, host and raw data.
package struct HTMLReport: Sendable {
  private let documents: [ComparisonDocument]

  /// A report of one comparison, or of several side by side.
  package init(_ documents: [ComparisonDocument]) { self.documents = documents }

  /// The document, ended by a newline.
  package func text() throws -> String {
    let sections = try documents.map(section)
    let sideBySide = documents.count > 1 ? [Self.heading("Side by side"), sideBySideTable()] : []
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>cordon compare: \(XMLText.escaped(documents.map(\.host.kernel).joined(separator: ", ")))</title>
      <style>
      \(Self.styleSheet)
      \(ChartPalette.styleSheet)
      </style>
      </head>
      <body>
      <h1>Trapping system calls by the code that issues them: what each mechanism costs</h1>
      \((sideBySide + sections).joined(separator: "\n"))
      \(Self.heading("Method"))
      \(Self.paragraphs(Self.method))
      \(published())
      </body>
      </html>

      """
  }

  private func section(_ document: ComparisonDocument) throws -> String {
    let answer = ComparisonAnswer(document).sentences()
    let title = documents.count > 1 ? Self.heading(document.host.kernel) : ""
    return [
      title, "<section class=\"answer\">\(Self.paragraphs(answer))</section>",
      ComparisonCharts(document).all().map { "<figure>\($0)</figure>" }.joined(separator: "\n"),
      Self.heading("Figures"), Self.table(of: document), Self.programs(of: document), Self.bars(of: document),
      Self.conformance(of: document), Self.heading("Host"), Self.hostTable(document),
      "<details><summary>Raw data (JSON)</summary><pre>"
        + String(decoding: try document.json(), as: UTF8.self).split(separator: "\n").map {
          XMLText.escaped(String($0))
        }
        .joined(separator: "\n") + "</pre></details>",
    ].joined(separator: "\n")
  }

  private static func heading(_ text: String) -> String { "<h2>\(XMLText.escaped(text))</h2>" }

  private static func paragraphs(_ texts: [String]) -> String {
    texts.map { "<p>\(XMLText.escaped($0))</p>" }.joined(separator: "\n")
  }

  private static func table(of document: ComparisonDocument) -> String {
    let titles = [
      "workload", "mechanism", "minimum", "median", "95 % interval", "p99", "spread", "over none", "× none",
      "× selector",
    ]
    var previous = ""
    let figures = document.results.filter { !$0.workload.hasPrefix(ProgramWorkload.prefix) }
    let rows = figures.enumerated().map { index, row in
      let name = row.workload == previous ? "" : row.workload
      let start = name.isEmpty ? "<tr>" : "<tr class=\"first\">"
      previous = row.workload
      let labels =
        "<th scope=\"row\">\(XMLText.escaped(name))</th><td class=\"name\">\(XMLText.escaped(row.mechanism))</td>"
      if let reason = row.unavailable {
        return "\(start)\(labels)<td class=\"reason\" colspan=\"8\">\(XMLText.escaped(reason))</td></tr>"
      }
      let interval = row.medianInterval.map { $0.map(BarChart.text).joined(separator: " – ") } ?? ""
      let cells = [
        number(row.minimum), number(row.median), interval, number(row.p99), number(row.spread),
        signed(row.overhead), ratio(row.ratioToNone), ratio(row.ratioToSelector),
      ]
      let isLastOfSysinfo =
        row.workload == "sysinfo" && (index + 1 == figures.count || figures[index + 1].workload != "sysinfo")
      return start + labels + cells.map { "<td>\($0)</td>" }.joined() + "</tr>" + (isLastOfSysinfo ? proposed : "")
    }
    return scrolling(titles, rows)
      + "<p class=\"note\">Nanoseconds per operation; ratios and overheads are medians over "
      + "rounds of what one round gave. Spread: median distance of the rounds' medians from their middle.</p>"
  }

  /// MEMMAP, beside what was measured of the same call.
  private static var proposed: String {
    let figure = PublishedFigure.proposed
    return "<tr><th scope=\"row\"></th><td class=\"name\">MEMMAP \(figure.source.rawValue)</td><td class=\"reason\" "
      + "colspan=\"8\">published: \(XMLText.escaped(figure.published)) over none, on another machine; it was never "
      + "released</td></tr>"
  }

  /// The runs of whole programs, in milliseconds.
  private static func programs(of document: ComparisonDocument) -> String {
    let runs = document.results.filter { $0.workload.hasPrefix(ProgramWorkload.prefix) }
    guard !runs.isEmpty else { return "" }
    var previous = ""
    let rows = runs.map { row in
      let name = row.workload == previous ? "" : String(row.workload.dropFirst(ProgramWorkload.prefix.count))
      previous = row.workload
      let labels =
        "<tr\(name.isEmpty ? "" : " class=\"first\"")><th scope=\"row\">\(XMLText.escaped(name))</th>"
        + "<td class=\"name\">\(XMLText.escaped(row.mechanism))</td>"
      if let reason = row.unavailable {
        return "\(labels)<td class=\"reason\" colspan=\"6\">\(XMLText.escaped(reason))</td></tr>"
      }
      func milliseconds(_ value: Double?) -> String { number(value.map { $0 / 1_000_000 }) }
      func interval(_ values: [Double]?, per unit: Double) -> String {
        values.map { $0.map { Figure.decimal($0 / unit, digits: 2) }.joined(separator: " – ") } ?? ""
      }
      let cells = [
        milliseconds(row.minimum), milliseconds(row.median), interval(row.medianInterval, per: 1_000_000),
        signed(row.overhead.map { $0 / 1_000_000 }), ratio(row.ratioToNone), interval(row.ratioToNoneInterval, per: 1),
      ]
      return labels + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
    }
    return heading("Whole programs")
      + scrolling(
        ["program", "mechanism", "minimum", "median", "95 % interval", "over none", "× none", "95 % interval"], rows)
      + "<p class=\"note\">Milliseconds from start to end, on one processor. seccomp and sud-exclusive: cordon run --all.</p>"
  }

  private static func scrolling(_ titles: [String], _ rows: [String]) -> String {
    let head = titles.map { "<th scope=\"col\">\(XMLText.escaped($0))</th>" }.joined()
    return
      "<div class=\"wide\"><table><thead><tr>\(head)</tr></thead><tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
  }

  /// The project's promises, with what these figures say of them.
  private static func bars(of document: ComparisonDocument) -> String {
    guard let bars = document.bars else { return "" }
    let rows = bars.map { bar in
      let interval = bar.interval.map { $0.map { Figure.decimal($0, digits: 2) }.joined(separator: " – ") } ?? ""
      let cells = [
        "\(Figure.decimal(bar.value, digits: 2)) \(bar.unit)", interval,
        XMLText.escaped("\(bar.relation.rawValue) \(Figure.decimal(bar.limit, digits: 2)) \(bar.unit)"),
        bar.verdict.rawValue,
      ]
      return "<tr><th scope=\"row\">\(XMLText.escaped(bar.statement))</th>" + cells.map { "<td>\($0)</td>" }.joined()
        + "</tr>"
    }
    return heading("The project's bars") + scrolling(["", "measured", "95 % interval", "limit", ""], rows)
      + "<p class=\"note\">Unsure: the limit lies within the interval.</p>"
  }

  /// What each mechanism does and does not do.
  private static func conformance(of document: ComparisonDocument) -> String {
    guard let conformance = document.conformance else { return "" }
    let mechanisms = Roster.mechanisms.map(\.name).filter { conformance.findings[$0] != nil }
    let rows = Capability.allCases.map { capability in
      let cells = mechanisms.map { mechanism -> String in
        guard let finding = conformance[mechanism, capability] else { return "<td></td>" }
        let title = finding.detail.map { " title=\"\(XMLText.escaped($0))\"" } ?? ""
        return "<td class=\"finding\"\(title)>\(XMLText.escaped(finding.word))</td>"
      }
      return
        "<tr><th scope=\"row\" class=\"question\">\(XMLText.escaped(capability.question))</th>\(cells.joined())</tr>"
    }
    return heading("What each can and cannot do, found by trying") + scrolling([""] + mechanisms, rows)
  }

  private static func number(_ value: Double?) -> String { value.map(BarChart.text) ?? "" }
  private static func signed(_ value: Double?) -> String {
    value.map { ($0 < 0 ? "-" : "+") + BarChart.text(abs($0)) } ?? ""
  }
  private static func ratio(_ value: Double?) -> String { value.map { Figure.decimal($0, digits: 2) } ?? "" }

  private static func hostTable(_ document: ComparisonDocument) -> String {
    let host = document.host
    func load(_ values: [Double]) -> String { values.map { Figure.decimal($0, digits: 2) }.joined(separator: " ") }
    let facts = [
      ("kernel", "\(host.kernel) \(host.architecture)"), ("processor", "\(host.cpu), \(host.processors) usable"),
      ("BPF JIT", host.jit), ("clock", host.clock),
      ("load", "\(load(host.loadBefore)) before, \(load(host.loadAfter)) after"), ("build", host.build),
      ("noise", document.noise?.words ?? "unknown"),
      ("rounds", document.rounds.map { Figure.grouped($0) } ?? "unknown"),
      ("duration", document.elapsed.map { "\(Figure.decimal(Double($0) / 1e9, digits: 0)) s" } ?? "unknown"),
    ]
    let mitigations = host.mitigations.sorted { $0.key < $1.key }.filter { $0.value != "Not affected" }
    let rows = (facts + mitigations).map {
      "<tr><th scope=\"row\">\(XMLText.escaped($0.0))</th><td class=\"name\">\(XMLText.escaped($0.1))</td></tr>"
    }
    return "<div class=\"wide\"><table><tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
  }

  /// The medians of all documents, a column each.
  private func sideBySideTable() -> String {
    let rows = ComparisonMerge.rows(documents).map { row in
      let cells = row.cells.map { cell in
        switch cell {
        case .figures(let median, let overhead):
          "<td>\(BarChart.text(median))\(overhead.map { " (\(Figure.signed($0, digits: 1)))" } ?? "")</td>"
        case .unavailable(let reason): "<td title=\"\(XMLText.escaped(reason))\">cannot</td>"
        case .absent: "<td></td>"
        }
      }
      return
        "<tr><th scope=\"row\">\(XMLText.escaped(row.workload))</th><td class=\"name\">\(XMLText.escaped(row.mechanism))</td>"
        + cells.joined() + "</tr>"
    }
    return Self.scrolling(["workload", "mechanism"] + ComparisonMerge.labels(documents), rows)
      + "<p class=\"note\">Median nanoseconds per operation, in brackets what that is over none.</p>"
  }

  private func published() -> String {
    let rows = PublishedFigure.all.map { figure in
      "<tr><td class=\"name\">\(XMLText.escaped(figure.subject))</td><td>\(XMLText.escaped(figure.published))</td>"
        + "<td class=\"name\">\(figure.source.rawValue)</td></tr>"
    }
    return Self.heading("Published elsewhere, on other machines")
      + Self.scrolling(["over no mechanism", "figure", "source"], rows)
      + PublishedFigure.Source.allCases.map { "<p class=\"note\">\($0.rawValue) \(XMLText.escaped($0.title))</p>" }
      .joined()
  }

  private static let method = [
    "Each mechanism does each workload once a round, in a process of its own and in an order of the round's own, so that "
      + "whatever drifts hits all alike. A sample is the mean of a batch of about 30 µs, less what reading the clock costs; "
      + "of activation, change and storm, a single one; of a program, one run, in every fourth round. No sample is left out.",
    "What a mechanism adds, and every ratio, is taken within each round and then the median over rounds. The intervals are "
      + "those in which the median lies with 95 % confidence, by bootstrap over rounds. What measuring itself costs is the "
      + "workload harness; it is shown and not subtracted.",
    "The programs have all their calls trapped and let through by cordon run; what they write is compared with what they "
      + "write without a mechanism. MEMMAP, which this is compared with by its published figures only, was never released.",
    "Before it is measured, each mechanism is seen to answer the guest as it should, and after it the traps that were "
      + "counted are compared with the calls that were made.",
  ]

  private static let styleSheet = """
    :root { color-scheme: light dark; --ink: #1c2430; --paper: #ffffff; --soft: #5b6573; --line: #d9dee6; --box: #f3f5f8; }
    @media screen and (prefers-color-scheme: dark) {
    :root { --ink: #e4e8ef; --paper: #14181f; --soft: #a3adba; --line: #353e4b; --box: #1c222b; }
    }
    body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
    h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
    .answer { background: var(--box); border-left: 4px solid #1f6fb2; padding: .4rem 1rem; }
    figure { margin: 1.6rem 0; overflow-x: auto; } .chart { max-width: 100%; height: auto; }
    .wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
    th, td { padding: .2rem .5rem; text-align: right; white-space: nowrap; } th { font-weight: 600; }
    thead th { border-bottom: 2px solid var(--line); } tr.first > * { border-top: 1px solid var(--line); }
    th[scope=row], thead th:first-child, thead th:nth-child(2), td.name { text-align: left; } td.reason { text-align: left; color: var(--soft); white-space: normal; }
    th.question { white-space: normal; font-weight: 400; } td.finding { text-align: center; }
    .note { color: var(--soft); font-size: .85rem; } pre { font-size: .8rem; overflow-x: auto; background: var(--box); padding: 1rem; }
    @media print { body { margin: 0; max-width: none; font-size: 11px; } table { font-size: 9px; } th, td { padding: .1rem .3rem; } .wide, figure { overflow: visible; } details { display: none; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
    """
}
