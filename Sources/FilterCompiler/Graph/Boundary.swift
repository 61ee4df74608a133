/// Where one disposition ends and the next begins.
struct Boundary {
  /// The first instruction pointer that gets what follows; inside of a gap that nobody cares about it may be any of these.
  let places: ClosedRange<UInt64>
  /// The dispositions, by their numbers.
  let before: DispositionTable.Number
  let after: DispositionTable.Number

  /// The boundaries between the pieces that are cared for. A gap between equal neighbours vanishes, and so does one at
  /// either end.
  static func all(between pieces: [Piece], _ dispositions: inout DispositionTable) -> [Boundary] {
    var boundaries: [Boundary] = []
    boundaries.reserveCapacity(pieces.count)
    var next: UInt64 = 0
    var before: DispositionTable.Number?
    for piece in pieces {
      guard let disposition = piece.disposition else { continue }
      let after = dispositions.number(of: disposition)
      if let before, before != after {
        boundaries.append(Boundary(places: next...piece.first, before: before, after: after))
      }
      before = after
      next = piece.last &+ 1
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
