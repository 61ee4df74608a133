import Cordon
import FoundationEssentials
import Glibc
import SystemPackage
import Testing

@testable import CordonComparator

/// A report of every row that there is, with figures that lie far apart.
private func everyRow() throws -> String {
  var found = ComparisonResults(combinations: Roster.combinations())
  for (index, combination) in found.combinations.enumerated() {
    for round in 0..<4 {
      let value = [120.0, 1_650, 31_000, 1_400_000, 28_000_000][index % 5] + Double(round * (index % 7))
      found[combination].record(.measured(measurement(value)), round: round)
    }
  }
  found.conformance = Conformance()
  for mechanism in Roster.mechanisms {
    for capability in Capability.allCases { found.conformance?[mechanism.name, capability] = .partly("in a way") }
  }
  return try HTMLReport([
    ComparisonDocument(host: someHost, loadBefore: [9, 9, 9], loadAfter: [9, 9, 9], results: found)
  ]).text()
}

@Suite struct ReportElementsTests {
  /// The first element that is closed and was not the last one opened, or is never closed; nil where all are in order.
  private func disorder(_ text: String) -> String? {
    var open: [Substring] = []
    for part in text.split(separator: "<", omittingEmptySubsequences: false).dropFirst() {
      guard let end = part.firstIndex(of: ">") else { return String(part.prefix(40)) }
      let tag = part[..<end]
      let name = tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber }
      if tag.hasPrefix("!") || tag.hasSuffix("/") || name == "meta" { continue }
      if tag.hasPrefix("/") {
        guard open.popLast() == name else { return String(tag) }
      } else {
        open.append(name)
      }
    }
    return open.last.map(String.init)
  }

  @Test func `every element is closed in its order`() throws {
    #expect(disorder(try everyRow()) == nil)
    #expect(disorder("<p><b>x</p></b>") == "/p" && disorder("<p>") == "p" && disorder("<svg><path/></svg>") == nil)
  }
}

/// What a browser makes of a report. Where there is none, ``ReportElementsTests`` has to do.
@Suite struct ReportInBrowserTests {
  private static let browser = ["/usr/bin/chromium", "/usr/bin/google-chrome"].first { KernelFile.isExecutable($0) }

  /// Says in the page what is cut off: texts that lie outside their chart, and a page that is wider than the window.
  private static let inspection = """
    <script>
    const cut = [];
    for (const chart of document.querySelectorAll("svg")) {
      const room = chart.viewBox.baseVal;
      for (const text of chart.querySelectorAll("text")) {
        const box = text.getBBox();
        if (box.x < -1 || box.x + box.width > room.width + 1 || box.y < -1 || box.y + box.height > room.height + 1)
          cut.push(text.textContent);
      }
    }
    if (document.documentElement.scrollWidth > window.innerWidth) cut.push("the page");
    document.body.dataset.cut = cut.join("|");
    document.body.dataset.charts = document.querySelectorAll("svg").length;
    </script>
    """

  private func run(_ browser: String, _ options: [String], _ page: FilePath) async throws -> String {
    let launcher = ChildLauncher(executable: FilePath(browser), limit: .seconds(600))
    let common = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,1600"]
    switch await launcher.run(common + options + ["file://\(page.string)"]) {
    case .output(let bytes): return String(decoding: bytes, as: UTF8.self)
    case .failed(let reason): throw MeasurementError.failed(reason)
    case .tookTooLong: throw MeasurementError.failed("the browser did not end")
    }
  }

  @Test(
    .enabled(if: browser != nil, "no Chromium is installed (apt-get install chromium)"),
    arguments: [[], ["--blink-settings=preferredColorScheme=0"]])
  func `nothing is cut off, in light and in dark, and there is a picture`(options: [String]) async throws {
    let browser = try #require(Self.browser)
    let folder = FilePath(FileManager.default.temporaryDirectory.path).appending(
      "cordon-report-\(UInt64.random(in: 0...(.max)))")
    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    let page = folder.appending("report.html")
    try Data(everyRow().replacing("</body>", with: Self.inspection + "</body>").utf8).write(
      to: URL(filePath: page.string))

    // One of its own: two browsers with one profile talk to each other.
    let options = options + ["--user-data-dir=\(folder.appending("profile").string)"]
    let document = try await run(browser, options + ["--dump-dom"], page)
    #expect(document.contains("data-cut=\"\""), "\(document.suffix(300))")
    #expect(document.contains("data-charts=\"9\""))

    let picture = folder.appending("report.png")
    _ = try await run(browser, options + ["--screenshot=\(picture.string)"], page)
    let bytes = try Data(contentsOf: URL(filePath: picture.string))
    #expect(bytes.prefix(4).elementsEqual([0x89, 0x50, 0x4e, 0x47]))
    // A page without anything on it is a tenth of that.
    #expect(bytes.count > 40_000)
  }
}
