/// Decides where, inside the gaps that nobody cares about, one disposition ends and the next begins.
enum BoundaryPlacement {
  /// A run of instruction pointers that are decided alike, up to the next run or to the end.
  struct Run: Equatable {
    var first: UInt64
    var disposition: Disposition
  }

  /// The pieces without gaps; pointers that are cared for keep their disposition.
  ///
  /// A gap between equal neighbours vanishes. Else the boundary lies on a 4 GiB line where the gap has one, so that
  /// the lower half of the pointer need not be read for it: on the line next to the stricter neighbour. Without a line
  /// it lies tight at the stricter neighbour, so that what is mapped into the gap later is not caught by it.
  static func runs(_ pieces: [Piece]) -> [Run] {
    var runs: [Run] = []
    func append(_ first: UInt64, _ disposition: Disposition) {
      if runs.last?.disposition != disposition { runs.append(Run(first: first, disposition: disposition)) }
    }
    for (index, piece) in pieces.enumerated() {
      if let disposition = piece.disposition {
        let gap = index > 0 && pieces[index - 1].isDontCare ? pieces[index - 1] : nil
        guard let gap else {
          append(piece.first, disposition)
          continue
        }
        // A gap has no gap beside it; before the first piece there is nothing to tell it from.
        guard let before = runs.last?.disposition else {
          append(0, disposition)
          continue
        }
        append(boundary(in: gap, between: before, and: disposition), disposition)
      }
    }
    return runs
  }

  /// The first pointer that gets what follows the gap: any of `gap.first ... gap.last + 1`.
  private static func boundary(
    in gap: Piece, between before: Disposition, and after: Disposition
  ) -> UInt64 {
    let (lowest, highest) = (gap.first, gap.last + 1)
    let line: UInt64 = 1 << 32
    let firstLine = (lowest + (line - 1)) & ~(line - 1)
    let lastLine = highest & ~(line - 1)
    let strictBefore = before.isStricter(than: after)
    if firstLine <= lastLine { return strictBefore ? firstLine : lastLine }
    return strictBefore ? lowest : highest
  }
}
