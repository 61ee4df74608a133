import FoundationEssentials

/// Comparisons of several machines or kernels side by side.
package enum ComparisonMerge {
  enum Cell: Sendable, Hashable {
    case figures(median: Double, overhead: Double?)
    case unavailable(String)
    /// That comparison has no such row.
    case absent
  }

  struct Row: Sendable, Hashable {
    var workload: String
    var mechanism: String
    /// Whether it is of a whole program.
    var isProgram = false
    /// One for each comparison.
    var cells: [Cell]
  }

  /// What tells the comparisons apart: the kernel's release, and the processor where the same kernel comes twice; a number
  /// where that comes twice as well.
  static func labels(_ documents: [ComparisonDocument]) -> [String] {
    let kernels = documents.map { String($0.host.kernel.split(separator: " ").last ?? "unknown") }
    let named = zip(kernels, documents).map { kernel, document in
      kernels.count { $0 == kernel } > 1 ? "\(kernel), \(document.host.cpu)" : kernel
    }
    return named.enumerated().map { index, name in
      named.count { $0 == name } > 1 ? "\(index + 1): \(kernels[index])" : name
    }
  }

  /// All combinations of all comparisons: in the order of the first one that has them.
  static func rows(_ documents: [ComparisonDocument]) -> [Row] {
    var order: [Combination] = []
    var seen: Set<Combination> = []
    for row in documents.flatMap(\.results) where seen.insert(row.combination).inserted {
      order.append(row.combination)
    }
    let workloads = order.map(\.workload).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    // Rows of one workload stand together even where the first comparison lacked some.
    let sorted = order.enumerated().sorted {
      let (left, right) = (
        workloads.firstIndex(of: $0.element.workload) ?? 0, workloads.firstIndex(of: $1.element.workload) ?? 0
      )
      return (left, $0.offset) < (right, $1.offset)
    }
    return sorted.map { _, combination in
      Row(
        workload: combination.workload, mechanism: combination.mechanism, isProgram: combination.isProgram,
        cells: documents.map { cell($0.results.first { $0.combination == combination }) })
    }
  }

  private static func cell(_ row: ComparisonRow?) -> Cell {
    guard let row else { return .absent }
    if let median = row.median { return .figures(median: median, overhead: row.overhead) }
    return .unavailable(row.unavailable ?? "no figures")
  }

  /// The comparisons as one JSON document, `cordon.compare-merge/1`, ended by a newline.
  package static func json(_ documents: [ComparisonDocument]) throws -> [UInt8] {
    struct Merged: Encodable {
      var schema = "cordon.compare-merge/1"
      var reports: [ComparisonDocument]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(Merged(reports: documents))) + [UInt8(ascii: "\n")]
  }

  /// The rows as tables for a terminal, those of whole programs in milliseconds; each line ended by a newline.
  package static func text(_ documents: [ComparisonDocument]) -> String {
    let labels = labels(documents)
    let rows = rows(documents)
    let table = [
      table(rows.filter { !$0.isProgram }, "WORKLOAD", "ns", of: 1),
      table(rows.filter(\.isProgram), "PROGRAM", "ms", of: 1_000_000),
    ].filter { !$0.isEmpty }.joined(separator: [""])
    let key = zip(labels, documents).enumerated().map { index, pair in
      "[\(index + 1)] \(pair.1.host.kernel), \(pair.1.host.cpu), \(pair.1.host.processors) usable, \(pair.1.host.build) build"
        + (pair.1.isPartial == true ? ", interrupted" : "")
    }
    return (table + [""] + key + [""] + lacks(documents) + differences(documents)).map { $0 + "\n" }.joined()
  }

  /// - Parameter size: nanoseconds in a unit.
  private static func table(_ rows: [Row], _ title: String, _ unit: String, of size: Double) -> [String] {
    guard let count = rows.first?.cells.count else { return [] }
    var table = TextTable([.left, .left] + (0..<count).flatMap { _ in [TextTable.Alignment.right, .right] })
    table.add([title, "MECHANISM"] + (0..<count).flatMap { ["MEDIAN \(unit) [\($0 + 1)]", "OVER none"] })
    var previous: String?
    for row in rows {
      if row.workload != previous { table.addBlank() }
      let label = row.workload == previous ? "" : row.workload
      previous = row.workload
      table.add([label, row.mechanism] + row.cells.flatMap { cells($0, size) })
    }
    return table.lines()
  }

  /// The mechanisms that each machine has no figures of, with the reason.
  private static func lacks(_ documents: [ComparisonDocument]) -> [String] {
    documents.enumerated().flatMap { index, document in
      let missing = document.missingMechanisms.map { "[\(index + 1)] lacks \($0.mechanism): \($0.reason)" }
      return missing.isEmpty ? ["[\(index + 1)] lacks none of the mechanisms"] : missing
    }
  }

  /// What mechanisms do on one of the machines and not on another that has them.
  private static func differences(_ documents: [ComparisonDocument]) -> [String] {
    var lines: [String] = []
    for mechanism in Roster.mechanisms.map(\.name) {
      for capability in Capability.allCases {
        let found = documents.enumerated().compactMap { index, document -> (place: String, word: String)? in
          guard let finding = document.conformance?[mechanism, capability] else { return nil }
          if case .unavailable = finding { return nil }
          return ("[\(index + 1)]", finding.word)
        }
        guard Set(found.map(\.word)).count > 1 else { continue }
        let words = found.map { "\($0.word) \($0.place)" }.joined(separator: ", ")
        lines.append("\(mechanism), \(capability.rawValue): \(words)")
      }
    }
    let probed = documents.count { $0.conformance != nil }
    return probed > 1 && lines.isEmpty ? ["What was probed of the others is the same everywhere."] : lines
  }

  private static func cells(_ cell: Cell, _ size: Double) -> [String] {
    switch cell {
    case .figures(let median, let overhead):
      [Figure.decimal(median / size, digits: 1), overhead.map { Figure.signed($0 / size, digits: 1) } ?? "-"]
    case .unavailable: ["cannot", "-"]
    case .absent: ["", ""]
    }
  }
}

extension ComparisonRow {
  fileprivate var combination: Combination {
    Combination(mechanism: mechanism, workload: workload, parameter: parameter)
  }
}
