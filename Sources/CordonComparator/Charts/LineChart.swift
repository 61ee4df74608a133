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
    func x(_ value: Double) -> Int { Self.left + Int(across.position(of: value).rounded()) }
    func y(_ value: Double) -> Int { Self.height - Self.bottom - Int(up.position(of: value).rounded()) }
    var parts: [String] = up.ticks.map { tick in
      "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(y(tick))\" y2=\"\(y(tick))\"/>"
        + "<text class=\"tick\" text-anchor=\"end\" x=\"\(Self.left - 8)\" y=\"\(y(tick) + 4)\">\(BarChart.text(tick))</text>"
    }
    // Ticks that would touch each other are left out.
    var lastTick = Int.min / 2
    for tick in across.ticks where x(tick) - lastTick >= 34 {
      lastTick = x(tick)
      parts.append(
        "<text class=\"tick\" text-anchor=\"middle\" x=\"\(x(tick))\" y=\"\(Self.height - Self.bottom + 16)\">"
          + "\(Figure.grouped(Int(tick)))</text>")
    }
    let middle = Self.left + (Self.width - Self.left - Self.right) / 2
    parts.append(
      "<text class=\"note\" text-anchor=\"middle\" x=\"\(middle)\" y=\"\(Self.height - 8)\">\(XMLText.escaped(subject))</text>"
    )
    for line in lines {
      let corners = line.points.map { "\(x($0.x)),\(y($0.y))" }.joined(separator: " ")
      parts.append("<polyline class=\"line \(ChartPalette.style(line.hue))\" points=\"\(corners)\"/>")
      for point in line.points {
        parts.append(
          "<circle class=\"\(ChartPalette.style(line.hue))\" cx=\"\(x(point.x))\" cy=\"\(y(point.y))\" r=\"3\"/>")
      }
    }
    parts += labels(y: y)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 \(Self.width) \(Self.height)" \
      width="\(Self.width)" height="\(Self.height)" role="img">
      <title>\(XMLText.escaped(title))</title>
      <text class="title" x="0" y="16">\(XMLText.escaped(title)), \(unit)</text>
      \(parts.joined(separator: "\n"))
      </svg>
      """
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
