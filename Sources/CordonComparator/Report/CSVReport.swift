/// Comparisons as CSV (RFC 4180), a line a combination, for spreadsheets and statistics programs.
package enum CSVReport {
  private static let columns = [
    "kernel", "cpu", "mechanism", "workload", "parameter", "samples", "operations", "minimum_ns", "median_ns",
    "median_low_ns", "median_high_ns", "p99_ns", "spread_ns", "overhead_ns", "overhead_low_ns", "overhead_high_ns",
    "ratio_to_none", "ratio_to_sud_selector", "unavailable",
  ]

  /// The text, its first line naming the columns, its lines ended as the RFC has it.
  package static func text(_ documents: [ComparisonDocument]) -> String {
    let rows = documents.flatMap { document in document.results.map { cells($0, document.host) } }
    return ([columns] + rows).map { $0.map(quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  private static func cells(_ row: ComparisonRow, _ host: HostDocument) -> [String] {
    let parameter = row.parameter.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    let numbers = [
      row.minimum, row.median, row.medianInterval?.first, row.medianInterval?.last, row.p99, row.spread, row.overhead,
      row.overheadInterval?.first, row.overheadInterval?.last, row.ratioToNone, row.ratioToSelector,
    ]
    return [host.kernel, host.cpu, row.mechanism, row.workload, parameter]
      + [row.samples, row.operations].map { $0.map(String.init) ?? "" }
      + numbers.map { $0.map { "\($0)" } ?? "" } + [row.unavailable ?? ""]
  }

  private static func quoted(_ cell: String) -> String {
    guard cell.contains(where: { ",\"\r\n".contains($0) }) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
