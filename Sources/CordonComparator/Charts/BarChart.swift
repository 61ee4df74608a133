import FilterCompiler

/// Horizontal bars in groups, with their values written beside them and the range they are known within drawn over them. What
/// is so much longer than the others that they would not be seen beside it is broken off at the edge.
struct BarChart: Sendable {
  struct Bar: Sendable {
    var name: String
    var value: Double
    /// Between which the value lies with 95 % confidence.
    var interval: [Double]?
    /// Which colour stands for it.
    var hue: Int
  }

  struct Group: Sendable {
    var name: String
    var bars: [Bar]
  }

  var title: String
  var unit: String
  var groups: [Group]

  private static let width = 760
  private static let left = 170
  private static let right = 110
  private static let bar = 18

  /// The chart as one SVG element, to stand in a document that has ``ChartPalette/styleSheet``.
  func svg() -> String {
    let length = Self.width - Self.left - Self.right
    let limit = limit
    let values = groups.flatMap { $0.bars }.filter { $0.value <= limit }.flatMap { [$0.value] + ($0.interval ?? []) }
    let scale = ChartScale(upTo: values.max() ?? 1, length: Double(length))
    var y = 34
    var parts: [String] = []
    for group in groups {
      if groups.count > 1 {
        y += 8
        parts.append("<text x=\"0\" y=\"\(y + 12)\">\(XMLText.escaped(group.name))</text>")
        y += 20
      }
      for bar in group.bars {
        parts.append(row(bar, y: y, scale))
        y += Self.bar + 5
      }
    }
    let bottom = y + 4
    let grid = scale.ticks.map { tick in
      let x = Self.left + Int(scale.position(of: tick).rounded())
      return "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y1=\"28\" y2=\"\(bottom)\"/>"
        + "<text class=\"tick\" text-anchor=\"middle\" x=\"\(x)\" y=\"\(bottom + 14)\">\(Self.text(tick))</text>"
    }
    let height = bottom + 22
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 \(Self.width) \(height)" \
      width="\(Self.width)" height="\(height)" role="img">
      <title>\(XMLText.escaped(title))</title>
      <text class="title" x="0" y="16">\(XMLText.escaped(title)), \(unit)</text>
      \((grid + parts).joined(separator: "\n"))
      </svg>
      """
  }

  /// Bars up to so many times the middle one are drawn in full.
  private static let reach = 20.0

  /// The longest bar that is drawn in full.
  private var limit: Double {
    let values = groups.flatMap { $0.bars.map(\.value) }
    return Statistics.median(of: values).map { $0 > 0 ? $0 * Self.reach : .infinity } ?? .infinity
  }

  private func row(_ bar: Bar, y: Int, _ scale: ChartScale) -> String {
    let length = Int(scale.position(of: bar.value).rounded())
    let middle = y + Self.bar / 2
    var text = """
      <text text-anchor="end" x="\(Self.left - 8)" y="\(middle + 4)">\(XMLText.escaped(bar.name))</text>\
      <rect class="\(ChartPalette.style(bar.hue))" x="\(Self.left)" y="\(y)" width="\(max(length, 1))" \
      height="\(Self.bar)" rx="2"/>
      """
    var end = length
    if bar.value > limit {
      let x = Self.left + length - 14
      let (top, bottom) = (y - 2, y + Self.bar + 2)
      text += "<path class=\"paper\" d=\"M\(x) \(bottom)L\(x + 6) \(top)h4L\(x + 4) \(bottom)z\"/>"
    } else if let interval = bar.interval, interval.count == 2 {
      let (low, high) = (
        Int(scale.position(of: interval[0]).rounded()), Int(scale.position(of: interval[1]).rounded())
      )
      text +=
        "<line class=\"whisker\" x1=\"\(Self.left + low)\" x2=\"\(Self.left + high)\" y1=\"\(middle)\" y2=\"\(middle)\"/>"
      for x in [low, high] {
        text +=
          "<line class=\"whisker\" x1=\"\(Self.left + x)\" x2=\"\(Self.left + x)\" y1=\"\(middle - 4)\" y2=\"\(middle + 4)\"/>"
      }
      end = max(end, high)
    }
    return text + "<text class=\"tick\" x=\"\(Self.left + end + 6)\" y=\"\(middle + 4)\">\(Self.text(bar.value))</text>"
  }

  /// Three digits that count: no measurement here is better.
  static func text(_ value: Double) -> String {
    let digits = abs(value) >= 100 || value == value.rounded() && abs(value) < 1_000_000 ? 0 : abs(value) >= 10 ? 1 : 2
    return Figure.decimal(value, digits: digits)
  }
}
