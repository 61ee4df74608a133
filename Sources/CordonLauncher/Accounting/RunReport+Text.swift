extension RunReport {
  /// Which rows a text shows.
  package enum Extent: Sendable {
    /// Those of code that is not the C library, the loader or the vDSO.
    case elsewhere
    case all
  }

  /// The table for people, a line each: first how many calls did not come from where calls are expected to come from.
  package func lines(_ extent: Extent) -> [String] {
    let elsewhere = callsFromElsewhere
    var lines = [
      "\(elsewhere) call\(elsewhere == 1 ? "" : "s") did not come from libc, ld.so or the vDSO"
        + (extent == .all ? " (of \(calls))" : "")
    ]
    let shown = rows.filter { extent == .all || !isSystem($0) }
    guard !shown.isEmpty else { return lines + notes }
    var symbols = Symbols(names)
    var cells = [["MODULE", "CALL", "CALLS", "TIME us", "ERRORS", "FIRST SITE", "HOTTEST SITE"]]
    for row in shown {
      let isOneSite = row.firstSite.offset == row.hottestSite.offset
      cells.append([
        row.module.map { names[$0].name } ?? "unknown", row.call, String(row.totals.calls),
        row.totals.timed == 0 ? "-" : Self.microseconds(nanoseconds(row.totals)), String(row.totals.errors),
        symbols.place(row.module, row.firstSite.offset),
        isOneSite ? "the same" : symbols.place(row.module, row.hottestSite.offset),
      ])
    }
    lines.append("")
    lines += Self.aligned(cells, rightAligned: [2, 3, 4])
    return lines + notes
  }

  private var notes: [String] {
    var notes: [String] = []
    if lostCalls > 0 { notes.append("\(lostCalls) calls found no room in the tables and are not counted") }
    return notes + missingInLog
  }

  /// What the log lacks, and why; a line each.
  package var missingInLog: [String] {
    [
      (lostRecords, "the log was not written in time"),
      (unfinishedRecords, "a thread was killed, or jumped out of a signal handler, while it wrote its record"),
    ].compactMap { count, reason in
      count == 0 ? nil : "\(count) call\(count == 1 ? " is" : "s are") missing in the log: \(reason)"
    }
  }

  private static func microseconds(_ nanoseconds: UInt64) -> String {
    "\(nanoseconds / 1000).\(nanoseconds % 1000 / 100)"
  }

  /// A name in one line: files and functions can be called anything, and terminals take some of it for commands.
  private static func printable(_ name: String) -> String {
    name.unicodeScalars.reduce(into: "") { text, scalar in
      text.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{fffd}" : scalar)
    }
  }

  private static func aligned(_ cells: [[String]], rightAligned: Set<Int>) -> [String] {
    let cells = cells.map { $0.map(printable) }
    let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += (column == 0 ? "" : "  ") + (rightAligned.contains(column) ? padding + cell : cell + padding)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

/// Symbol tables, read when something in their file is to be named.
struct Symbols {
  private let names: ModuleNames
  private var tables: [Int: SymbolTable] = [:]

  init(_ names: ModuleNames) { self.names = names }

  /// `0xOFFSET (FUNCTION)`, as far as there is a function.
  mutating func place(_ module: Int?, _ offset: UInt64) -> String {
    let text = "0x" + String(offset, radix: 16)
    return function(module, offset).map { "\(text) (\($0))" } ?? text
  }

  mutating func function(_ module: Int?, _ offset: UInt64) -> String? {
    guard let module, names[module].isFile else { return nil }
    let table = tables[module] ?? SymbolTable(path: names[module].path)
    tables[module] = table
    return table.name(at: offset)
  }
}
