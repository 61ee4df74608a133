/// Columns of text, aligned by the widest cell.
package struct TextTable: Sendable {
  package enum Alignment: Sendable { case left, right }

  private let alignments: [Alignment]
  private let gap = "  "
  private var rows: [Row] = []

  private enum Row: Sendable {
    case cells([String])
    /// Its last cell runs on over the columns that are left.
    case open([String])
    case blank

    /// The cells that their columns must hold.
    var measured: ArraySlice<String> {
      switch self {
      case .cells(let cells): cells[...]
      case .open(let cells): cells.dropLast()
      case .blank: []
      }
    }
  }

  package init(_ alignments: [Alignment]) { self.alignments = alignments }

  package mutating func add(_ cells: [String]) { rows.append(.cells(cells)) }

  /// Adds a row whose last cell may be longer than its column.
  package mutating func addOpen(_ cells: [String]) { rows.append(.open(cells)) }

  package mutating func addBlank() { rows.append(.blank) }

  /// The lines, none with blanks at its end.
  package func lines() -> [String] {
    var widths = alignments.map { _ in 0 }
    for row in rows {
      for (column, cell) in row.measured.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    return rows.map { row in
      switch row {
      case .cells(let cells), .open(let cells):
        let padded = cells.enumerated().map { column, cell in pad(cell, to: widths[column], alignments[column]) }
        let line = padded.joined(separator: gap)
        return String(line.reversed().drop { $0 == " " }.reversed())
      case .blank: return ""
      }
    }
  }

  private func pad(_ cell: String, to width: Int, _ alignment: Alignment) -> String {
    let blanks = String(repeating: " ", count: max(0, width - cell.count))
    return alignment == .left ? cell + blanks : blanks + cell
  }
}
