extension RegionMap {
  /// The map as the kernel sees it: all 2^64 instruction pointers in ascending pieces without gaps, neighbours
  /// differing.
  ///
  /// With instructions of `n` bytes, a region `[start, end)` is decided for pointers `start + n ... end`, because
  /// the kernel reports the address after the instruction. A don't-care range excludes every instruction that has
  /// a byte in it: pointers `start + 1 ... end + n - 1`, and those below too where the range starts at 0.
  public func pieces() -> [Piece] {
    let length = architecture.instructionLength
    let cared = regions.map { region in
      Piece(first: region.range.start + length, last: region.range.end, disposition: region.disposition)
    }
    let ignored = dontCare.map { range in
      // No instruction ends at the address 0: nothing lies below it.
      Piece(first: range.start == 0 ? 0 : range.start + 1, last: range.end + length - 1, disposition: nil)
    }
    // What is disjoint as code is disjoint as pointers, but for two don't-care ranges with less than an
    // instruction between them.
    let stated = ignored.isEmpty ? cared : (cared + ignored).sorted { $0.first < $1.first }

    var pieces: [Piece] = []
    pieces.reserveCapacity(2 * stated.count + 1)
    var next: UInt64 = 0
    for piece in stated {
      if next < piece.first {
        pieces.appendJoining(Piece(first: next, last: piece.first - 1, disposition: defaultDisposition))
      }
      pieces.appendJoining(
        Piece(first: max(piece.first, next), last: piece.last, disposition: piece.disposition))
      // User space ends far below 2^64, so this cannot overflow.
      next = piece.last + 1
    }
    pieces.appendJoining(Piece(first: next, last: .max, disposition: defaultDisposition))
    return pieces
  }
}

extension [Piece] {
  /// Appends a piece that starts where the last one ends, or lengthens that one where the two are decided alike.
  mutating func appendJoining(_ piece: Piece) {
    if let last, last.disposition == piece.disposition {
      self[count - 1] = Piece(first: last.first, last: piece.last, disposition: piece.disposition)
    } else {
      append(piece)
    }
  }

  /// The pieces with `disposition` laid over the pointers `first ... last`, whatever was there before.
  func overlaying(_ disposition: Disposition, from first: UInt64, through last: UInt64) -> [Piece] {
    // Only few pieces are touched; those are made anew, and joined with their neighbours.
    let lower = partitioningIndex { $0.last >= first }
    let upper = partitioningIndex { $0.first > last }
    var result: [Piece] = []
    result.reserveCapacity(count + 2)
    result += self[..<lower]
    if lower < upper, self[lower].first < first {
      result.appendJoining(Piece(first: self[lower].first, last: first - 1, disposition: self[lower].disposition))
    }
    result.appendJoining(Piece(first: first, last: last, disposition: disposition))
    if lower < upper, self[upper - 1].last > last {
      let rest = self[upper - 1]
      result.appendJoining(Piece(first: last + 1, last: rest.last, disposition: rest.disposition))
    }
    if upper < count { result.appendJoining(self[upper]) }
    result += self[Swift.min(upper + 1, count)...]
    return result
  }
}
