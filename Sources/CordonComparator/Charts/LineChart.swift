import FilterCompiler

/// Lines over a count that doubles from tick to tick, each named where it ends.
struct LineChart: Sendable {
  struct Line: Sendable {
    var name: String
    /// In ascending order of x.
    var points: [(x: Double, y: Double)]
    var hue: Int
  }

  var title: String
  /// What is counted.
  var subject: String
  var unit: String
  var lines: [Line]
  /// Whether the values lie so far apart that each power of ten gets the same height.
  var isTenfold = false

  private static let (width, height) = (760, 320)
  private static let (left, right, top, bottom) = (84, 150, 34, 44)

  /// The chart as one SVG element, to stand in a document that has ``ChartPalette/styleSheet``.
  func svg() -> String {
    let points = lines.flatMap(\.points)
    let plotWidth = Double(Self.width - Self.left - Self.right)
    let plotHeight = Double(Self.height - Self.top - Self.bottom)
    let across = ChartScale(doublingOver: points.map(\.x), length: plotWidth)
    let values = points.map(\.y)
    let up =
      isTenfold
      ? ChartScale(tenfoldOver: values, length: plotHeight) : ChartScale(upTo: values.max() ?? 1, length: plotHeight)
    let x = { (value: Double) in Self.left + Int(across.position(of: value).rounded()) }
    let y = { (value: Double) in Self.height - Self.bottom - Int(up.position(of: value).rounded()) }
    let parts = grid(up.ticks, y) + counts(across.ticks, x) + lines.flatMap { curve($0, x, y) } + labels(y: y)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 \(Self.width) \(Self.height)" \
      width="\(Self.width)" height="\(Self.height)" role="img">
      <title>\(XMLText.escaped(title))</title>
      <text class="title" x="0" y="16">\(XMLText.escaped(title)), \(unit)</text>
      \(parts.joined(separator: "\n"))
      </svg>
      """
  }

  /// A line across for each value that is named at its left.
  private func grid(_ ticks: [Double], _ y: (Double) -> Int) -> [String] {
    ticks.map { tick in
      "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(y(tick))\" y2=\"\(y(tick))\"/>"
        + "<text class=\"tick\" text-anchor=\"end\" x=\"\(Self.left - 8)\" y=\"\(y(tick) + 4)\">\(BarChart.text(tick))</text>"
    }
  }

  /// The counts below, and what is counted. Those that would touch each other are left out.
  private func counts(_ ticks: [Double], _ x: (Double) -> Int) -> [String] {
    var parts: [String] = []
    var last = Int.min / 2
    for tick in ticks where x(tick) - last >= 34 {
      last = x(tick)
      parts.append(
        "<text class=\"tick\" text-anchor=\"middle\" x=\"\(x(tick))\" y=\"\(Self.height - Self.bottom + 16)\">"
          + "\(Figure.grouped(Int(tick)))</text>")
    }
    let middle = Self.left + (Self.width - Self.left - Self.right) / 2
    parts.append(
      "<text class=\"note\" text-anchor=\"middle\" x=\"\(middle)\" y=\"\(Self.height - 8)\">\(XMLText.escaped(subject))</text>"
    )
    return parts
  }

  private func curve(_ line: Line, _ x: (Double) -> Int, _ y: (Double) -> Int) -> [String] {
    let style = ChartPalette.style(line.hue)
    let places = line.points.map { (x: x($0.x), y: y($0.y)) }
    let corners = places.map { "\($0.x),\($0.y)" }.joined(separator: " ")
    return ["<polyline class=\"line \(style)\" points=\"\(corners)\"/>"]
      + places.map { "<circle class=\"\(style)\" cx=\"\($0.x)\" cy=\"\($0.y)\" r=\"3\"/>" }
  }

  /// The names at the lines' right ends, pushed apart where they would cover each other.
  private func labels(y: (Double) -> Int) -> [String] {
    let ends = lines.compactMap { line in line.points.last.map { (line: line, y: y($0.y)) } }.sorted { $0.y < $1.y }
    var next = Int.min
    return ends.map { end in
      let place = max(end.y, next)
      next = place + 14
      return
        "<text class=\"\(ChartPalette.style(end.line.hue))\" x=\"\(Self.width - Self.right + 10)\" y=\"\(place + 4)\">"
        + "\(XMLText.escaped(end.line.name))</text>"
    }
  }
}
