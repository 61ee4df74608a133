/// Where one disposition ends and the next begins.
struct Boundary: Equatable {
  /// The first instruction pointer that gets what follows; inside of a gap that nobody cares about it may be any of these.
  let places: ClosedRange<UInt64>
  let before: Disposition
  let after: Disposition

  /// The boundaries between the pieces that are cared for. A gap between equal neighbours vanishes, and so does one at
  /// either end.
  static func all(between pieces: [Piece]) -> [Boundary] {
    var boundaries: [Boundary] = []
    var last: Piece?
    for piece in pieces {
      guard let disposition = piece.disposition else { continue }
      if let last, let before = last.disposition, before != disposition {
        boundaries.append(Boundary(places: last.last + 1...piece.first, before: before, after: disposition))
      }
      last = piece
    }
    return boundaries
  }

  /// The lines of 4 GiB, by the upper half of their addresses, at whose start it may lie, so that the lower half of the
  /// pointer need not be read for it.
  var lines: ClosedRange<UInt32>? {
    let line: UInt64 = 1 << 32
    let (first, last) = ((places.lowerBound + (line - 1)) / line, places.upperBound / line)
    return first <= last ? UInt32(first)...UInt32(last) : nil
  }

  /// The line that it lies in, and where in it; for a boundary that cannot lie at the start of one.
  var inside: (line: UInt32, places: ClosedRange<UInt32>) {
    let low = UInt32(truncatingIfNeeded: places.lowerBound)...UInt32(truncatingIfNeeded: places.upperBound)
    return (UInt32(places.lowerBound >> 32), low)
  }
}

extension ClosedRange where Bound: FixedWidthInteger {
  /// The place beside the stricter of two dispositions, so that what comes into the gap later is not caught by it.
  func besideStricter(_ before: Disposition, _ after: Disposition) -> Bound {
    before.isStricter(than: after) ? lowerBound : upperBound
  }
}
