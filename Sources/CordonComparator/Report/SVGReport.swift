/// One picture of a comparison: what the mechanisms cost an untrapped call, or where that was not measured, a trapped
/// one. It needs no other file.
package enum SVGReport {
  /// The document; nil where there are no figures to draw.
  package static func text(_ document: ComparisonDocument) -> String? {
    let charts = ComparisonCharts(document)
    let chart = charts.untrapped()?.svg() ?? charts.all().first
    // The style sheet goes inside, before what it styles.
    guard let chart, let start = chart.firstIndex(of: ">") else { return nil }
    let inside = chart.index(after: start)
    return chart[..<inside] + "\n<style>\n\(ChartPalette.styleSheet)\n</style>\n"
      + "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>" + chart[inside...] + "\n"
  }
}
