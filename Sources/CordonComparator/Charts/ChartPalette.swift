/// The colours that tell one thing in a chart from the others, on light and dark screens and on paper. They stay apart
/// for readers who see few colours, and everything is labelled besides.
enum ChartPalette {
  private static let hues: [(light: String, dark: String)] = [
    ("#5b6573", "#a3adba"), ("#1f6fb2", "#62aee8"), ("#c2571a", "#f0914f"), ("#1e8a5f", "#4fc795"),
    ("#8a4fb5", "#bd8ee6"), ("#b08a0c", "#e0bd3f"), ("#b53a56", "#ee7f97"), ("#14808c", "#4bc3cf"),
    ("#6a7a1e", "#b1c455"), ("#7a4a2b", "#c79672"), ("#2f3f9e", "#8f9df0"), ("#a3338f", "#e28ad2"),
  ]

  /// The class of the colour that stands for the thing with this index.
  static func style(_ index: Int) -> String { "hue-\(index % hues.count)" }

  /// What every chart needs, once a document.
  static let styleSheet = """
    .chart text { font: 12px system-ui, sans-serif; fill: #1c2430; }
    .chart .title { font-size: 14px; font-weight: 600; }
    .chart .tick, .chart .note { font-size: 11px; fill: #5b6573; }
    .chart .grid { stroke: #d9dee6; stroke-width: 1; }
    .chart .whisker { stroke: #1c2430; stroke-width: 1; }
    .chart .paper { fill: #ffffff; }
    .chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
    \(rules { $0.light })
    @media screen and (prefers-color-scheme: dark) {
    .chart text { fill: #e4e8ef; }
    .chart .tick, .chart .note { fill: #a3adba; }
    .chart .grid { stroke: #353e4b; }
    .chart .whisker { stroke: #e4e8ef; }
    .chart .paper { fill: #14181f; }
    \(rules { $0.dark })
    }
    """

  private static func rules(_ colour: ((light: String, dark: String)) -> String) -> String {
    hues.enumerated().map { index, hue in
      ".chart .hue-\(index) { fill: \(colour(hue)); } .chart .line.hue-\(index) { fill: none; stroke: \(colour(hue)); }"
    }.joined(separator: "\n")
  }
}
