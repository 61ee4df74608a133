import ArgumentParser
import CordonComparator

/// The files that a comparison is written to, besides the table on standard output.
struct ReportOutputs: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write the figures to FILE as JSON; - is standard output, without the table.", valueName: "FILE"),
    completion: .file())
  var json: String?

  @Option(
    help: ArgumentHelp("Write the figures to FILE as CSV, a line a row; - as above.", valueName: "FILE"),
    completion: .file())
  var csv: String?

  @Option(
    help: ArgumentHelp("Write the whole report to FILE as one web page with charts; - as above.", valueName: "FILE"),
    completion: .file())
  var html: String?

  @Option(
    help: ArgumentHelp("Write one chart, by mechanism, to FILE as SVG; - as above.", valueName: "FILE"),
    completion: .file())
  var svg: String?

  private var all: [(option: String, name: String)] {
    [("--json", json), ("--csv", csv), ("--html", html), ("--svg", svg)].compactMap { option, name in
      name.map { (option, $0) }
    }
  }

  /// Whether one of them is standard output, which then has nothing else on it.
  var takesStandardOutput: Bool { all.contains { $0.name == "-" } }

  /// Finds out whether all of them can be written, before the work that fills them.
  func checkWritable() throws(CommandFailure) {
    if let second = all.filter({ $0.name == "-" }).dropFirst().first {
      throw .usage(second.option, "only one report fits on standard output", remedy: "name files for the others")
    }
    for (_, name) in all { try OutputDestination(name).checkWritable() }
  }

  /// Writes each of them whole.
  func write(_ documents: [ComparisonDocument]) throws {
    guard let first = documents.first else { return }
    if let json {
      try OutputDestination(json).write(documents.count == 1 ? first.json() : ComparisonMerge.json(documents))
    }
    if let csv { try OutputDestination(csv).write(CSVReport.text(documents).utf8) }
    if let html { try OutputDestination(html).write(HTMLReport(documents).text().utf8) }
    if let svg {
      guard let text = SVGReport.text(first) else {
        throw CommandFailure.unavailable(
          svg, "nothing was measured that a chart could show",
          remedy: "measure getppid or trap-value, with none among the mechanisms")
      }
      try OutputDestination(svg).write(text.utf8)
    }
  }
}
