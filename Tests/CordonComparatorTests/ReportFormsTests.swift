import Testing

@testable import CordonComparator

@Suite struct CSVReportTests {
  @Test func `a line a combination, its columns named, its texts quoted`() throws {
    var host = someHost
    host.processor = "Some \"fast\", Processor"
    let text = CSVReport.text([document([("none", "getppid", [100]), ("seccomp", "getppid", [150])], host: host)])
    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
    #expect(lines.count == 4 && lines.last == "")
    let columns = lines[0].split(separator: ",")
    #expect(columns.contains("median_ns") && columns.contains("overhead_ns") && columns.last == "unavailable")
    #expect(lines[2].hasPrefix("Linux 6.18.0,\"Some \"\"fast\"\", Processor\",seccomp,getppid,,"))
    #expect(lines[2].split(separator: ",", omittingEmptySubsequences: false).contains("50.0"))
  }
}

@Suite struct HTMLReportTests {
  @Test func `it needs no other file and closes what it opens`() throws {
    let text = try HTMLReport([document(everything)]).text()
    for outside in ["<link", "<script", "src=", "@import", "url("] { #expect(!text.contains(outside), "\(outside)") }
    for element in ["html", "body", "table", "figure", "svg", "section", "details", "tr", "td", "th", "p", "h2"] {
      let opened = text.ranges(of: "<\(element)>").count + text.ranges(of: "<\(element) ").count
      #expect(opened == text.ranges(of: "</\(element)>").count, "\(element)")
    }
    #expect(text.ranges(of: "<svg").count == 5)
  }

  @Test func `names from elsewhere are text and not markup`() throws {
    var host = someHost
    host.kernel = "Linux <script>alert(1)</script>"
    let text = try HTMLReport([document(everything, host: host)]).text()
    #expect(!text.contains("<script"))
    #expect(text.contains("Linux &lt;script&gt;"))
  }

  @Test func `several machines stand side by side, each told apart`() throws {
    var other = someHost
    other.kernel = "Linux 6.1.0"
    let text = try HTMLReport([document(everything), document(everything, host: other)]).text()
    #expect(text.contains("<th scope=\"col\">6.18.0</th><th scope=\"col\">6.1.0</th>"))
  }
}

@Suite struct SVGReportTests {
  @Test func `one picture of what untrapped calls cost`() throws {
    let text = try #require(SVGReport.text(document(everything)))
    #expect(text.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\"") && text.hasSuffix("</svg>\n"))
    #expect(text.ranges(of: "<svg").count == 1 && text.contains("prefers-color-scheme: dark"))
    #expect(text.contains(">seccomp</text>") && text.contains(">sud-selector</text>"))
  }

  @Test func `without figures there is no picture`() {
    #expect(SVGReport.text(document([("seccomp", "getppid", [])])) == nil)
  }
}

@Suite struct ComparisonAnswerTests {
  @Test func `the cheapest for each need is named with its figure`() {
    let sentences = ComparisonAnswer(document(everything)).sentences()
    #expect(
      sentences[0].contains("seccomp adds least to an untrapped getppid(2), 40 ns over 100 ns (sud-selector +50 ns)"))
    #expect(sentences[1].contains("sud-selector answers a trapped call fastest, in 1,000 ns (seccomp 1,500 ns)"))
  }

  @Test func `where the two needs disagree, the rate at which they tie is told`() {
    // 500 ns more for a trap, 10 ns less for every other call.
    #expect(
      ComparisonAnswer(document(everything)).sentences().contains(
        "From 50 untrapped calls for each trapped one on, seccomp costs less in all than sud-selector."))
  }

  @Test func `what whole programs take, and the slow ones of trapped calls, are told`() {
    let sentences = ComparisonAnswer(document(everything)).sentences()
    #expect(
      sentences.contains(
        "Whole programs, with every call trapped and let through, take so many times as long as natively: under seccomp "
          + "1.10 (gcc) to 2.00 (find), under strace 20.00 (find)."))
    #expect(
      sentences.contains {
        $0.hasPrefix("While regions change without pause") && $0.hasSuffix("seccomp 1.70 and 40 µs.")
      })
  }

  @Test func `how the price of a call grows with changes is told, and what one takes`() {
    var found = results([
      ("seccomp", "change", [2_500]), ("seccomp", "changes-0", [100]), ("seccomp", "changes-1000", [150]),
    ])
    found = ComparisonResults(
      combinations: found.combinations.map {
        Combination(
          mechanism: $0.mechanism, workload: $0.workload,
          parameter: $0.workload == "change" ? [:] : ["changes": $0.workload == "changes-0" ? 0 : 1_000])
      })
    for (combination, value) in zip(found.combinations, [2_500.0, 100, 150]) {
      found[combination].record(.measured(measurement(value)), round: 0)
    }
    let document = ComparisonDocument(host: someHost, loadBefore: [], loadAfter: [], results: found)
    #expect(
      ComparisonAnswer(document).sentences().contains(
        "Regions that keep changing: with 1,000 changes instead of 0 an untrapped call takes 1.50 times as long under "
          + "seccomp; one change takes seccomp 2.50 µs."))
    let charts = ComparisonCharts(document).all()
    #expect(charts.contains { $0.contains("An untrapped call after many changes of the regions") })
    #expect(charts.contains { $0.contains("What one change of the regions takes") })
  }

  @Test func `what a mechanism lacks here is told with the reason`() {
    var found = results([("none", "getppid", [100]), ("sud-inclusive", "getppid", [])])
    found[Combination(mechanism: "sud-inclusive", workload: "getppid")].record(
      .unavailable(reason: "since Linux 6.17"), round: 0)
    let sentences = ComparisonAnswer(
      ComparisonDocument(host: someHost, loadBefore: [], loadAfter: [], results: found)
    ).sentences()
    #expect(sentences.contains("Not to be had here: sud-inclusive (since Linux 6.17)."))
  }

  @Test func `a busy machine, an interruption and figures that scatter are told`() {
    var noisy = document(
      [("none", "getppid", [100, 150, 100, 150, 100, 150]), ("seccomp", "getppid", [180, 180, 180, 180, 180, 180])],
      load: [9])
    noisy.isPartial = true
    let last = ComparisonAnswer(noisy).sentences().last ?? ""
    #expect(
      last.contains("busy before (load 9.00)") && last.contains("interrupted") && last.contains("1 of 1 ratios"))
  }
}

@Suite struct ComparisonMergeTests {
  @Test func `rows of all reports, in one order, with what each lacks`() throws {
    var other = someHost
    other.kernel = "Linux 6.1.0"
    let documents = [
      document([("none", "getppid", [100])]),
      document(
        [("seccomp", "trap-value", [9]), ("none", "getppid", [200]), ("seccomp", "getppid", [250])], host: other),
    ]
    let rows = ComparisonMerge.rows(documents)
    #expect(rows.map(\.workload) == ["getppid", "getppid", "trap-value"])
    #expect(rows[1].cells == [.absent, .figures(median: 250, overhead: 50)])
    let lines = ComparisonMerge.text(documents).split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("getppid") && $0.contains("100.0") && $0.contains("200.0") })
    #expect(lines.contains { $0.hasPrefix("[2] Linux 6.1.0") })
  }

  @Test func `whole programs have a table in milliseconds, and calls one in nanoseconds`() {
    let calls = document([("none", "getppid", [100])])
    let program = document([("none", "run-find", [4_400_000]), ("seccomp", "run-find", [13_160_000])])
    let both = document([("none", "getppid", [100]), ("none", "run-find", [4_400_000])])
    #expect(!ComparisonMerge.text([calls, calls]).contains("PROGRAM"))
    #expect(!ComparisonMerge.text([program, program]).contains("WORKLOAD"))
    let lines = ComparisonMerge.text([program, both]).split(separator: "\n").map { $0.split(separator: " ") }
    #expect(
      lines.contains([
        "PROGRAM", "MECHANISM", "MEDIAN", "ms", "[1]", "OVER", "none", "MEDIAN", "ms", "[2]", "OVER", "none",
      ]))
    #expect(lines.contains(["run-find", "none", "4.4", "-", "4.4", "-"]))
    #expect(lines.contains(["seccomp", "13.2", "+8.8"]), "\(lines)")
    #expect(lines.contains(["getppid", "none", "100.0", "-"]))
  }

  @Test func `what each kernel lacks is listed, and what differs between them`() {
    var other = someHost
    other.kernel = "Linux 6.1.0"
    var found = results([("none", "getppid", [100]), ("sud-inclusive", "getppid", [])])
    found[found.combinations[1]].record(.unavailable(reason: "since Linux 6.17"), round: 0)
    var (here, there) = (
      document([("none", "getppid", [100]), ("sud-inclusive", "getppid", [130])]),
      ComparisonDocument(host: other, loadBefore: [], loadAfter: [], results: found)
    )
    for finding in [Finding.yes, .no("the child died")] {
      var conformance = Conformance()
      conformance["seccomp", .forkedChildren] = finding
      conformance["sud-inclusive", .redirects] = finding == .yes ? .yes : .unavailable("since Linux 6.17")
      if finding == .yes { here.conformance = conformance } else { there.conformance = conformance }
    }
    let lines = ComparisonMerge.text([here, there]).split(separator: "\n")
    #expect(
      lines.suffix(3) == [
        "[1] lacks none of the mechanisms", "[2] lacks sud-inclusive: since Linux 6.17",
        "seccomp, fork: yes [1], no [2]",
      ])
    there.conformance = here.conformance
    #expect(
      ComparisonMerge.text([here, there]).hasSuffix("What was probed of the others is the same everywhere.\n"))
  }

  @Test func `the same kernel twice is told apart by its number`() {
    #expect(ComparisonMerge.labels([document(everything), document(everything)]) == ["1: 6.18.0", "2: 6.18.0"])
  }
}

@Suite struct ComparisonDocumentReadingTests {
  @Test func `what was written is read back as it was`() throws {
    let written = document(everything)
    #expect(try ComparisonDocument(json: written.json()) == written)
  }

  @Test(arguments: [
    ("{", "is not a JSON object"), ("[]", "is not a JSON object"), ("{}", "has no schema"),
    (#"{"schema": "cordon.bench/1"}"#, "has the schema 'cordon.bench/1', not 'cordon.compare/1'"),
    (#"{"schema": "cordon.compare/1", "results": []}"#, "is a damaged cordon.compare/1: the document has no 'host'"),
  ])
  func `anything else is refused with the reason`(text: String, reason: String) throws {
    let error = #expect(throws: ComparisonDocumentError.self) { try ComparisonDocument(json: Array(text.utf8)) }
    #expect(try #require(error).description.hasPrefix(reason))
  }
}

@Suite struct BootstrapTests {
  @Test func `the interval holds the median and narrows with more rounds`() throws {
    let values = (0..<20).map { 100 + Double($0 % 5) }
    let few = try #require(Bootstrap.interval(ofMedian: Array(values.prefix(5))))
    let many = try #require(Bootstrap.interval(ofMedian: values + values + values + values))
    #expect(few[0] <= 102 && 102 <= few[1])
    #expect(many[1] - many[0] < few[1] - few[0])
    #expect(Bootstrap.interval(ofMedian: [1, 2]) == nil)
  }
}

@Suite struct ChartScaleTests {
  @Test func `ticks are round numbers that reach over the largest value`() {
    #expect(ChartScale(upTo: 43, length: 100).ticks == [0, 10, 20, 30, 40, 50])
    #expect(ChartScale(upTo: 0, length: 100).ticks.count > 1)
    #expect(ChartScale(upTo: 43, length: 100).position(of: 25) == 50)
  }

  @Test func `doubling is always the same distance`() {
    let scale = ChartScale(doublingOver: [1, 2, 1024], length: 100)
    #expect(scale.position(of: 1) == 0 && scale.position(of: 32) == 50 && scale.position(of: 1024) == 100)
    #expect(ChartScale(doublingOver: [0, 1, 2], length: 100).position(of: 0) == 0)
  }
}

private let everything: [(mechanism: String, workload: String, rounds: [Double])] = [
  ("none", "getppid", [100]), ("seccomp", "getppid", [140]), ("sud-selector", "getppid", [150]),
  ("seccomp", "trap-value", [1500]), ("sud-selector", "trap-value", [1000]),
  ("seccomp", "change", [2_500]), ("seccomp", "storm", [1_600, 1_700, 40_000]),
  ("none", "run-find", [4_000_000]), ("seccomp", "run-find", [8_000_000]), ("strace", "run-find", [80_000_000]),
  ("none", "run-gcc", [10_000_000]), ("seccomp", "run-gcc", [11_000_000]),
]

private func document(
  _ figures: [(mechanism: String, workload: String, rounds: [Double])], host: Host = someHost, load: [Double] = []
) -> ComparisonDocument {
  ComparisonDocument(host: host, loadBefore: load, loadAfter: [], results: results(figures))
}
