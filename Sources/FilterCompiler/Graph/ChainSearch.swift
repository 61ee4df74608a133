/// Finds, for one price after another, the chains that a row is best cut into.
///
/// A chain from which ways of `n` instructions lead on can stand at most `h - n` tests deep in a tree of height `h`, so it
/// takes a share of 2^(n - h) of that tree (Kraft's inequality): what chains have to share is the sum of their 2^n. At a
/// price for that room, the best chains from each segment to the end follow from the best ones from later segments.
struct ChainSearch {
  /// What one more test adds to a chain that ends with a segment.
  private struct Extension {
    /// The last segment then, or the same one where the row ends.
    let last: Int
    /// The longest way from what is added.
    let length: Int
    /// Whether any of it can stand directly behind a test.
    let canFollow: Bool
  }

  private let row: SegmentRow
  private let extensions: [Extension]
  private let longest: Int
  /// No chain leads to a longer one.
  private let longestWay: Int

  /// A search for chains that have at most `longest` tests each.
  init(_ row: SegmentRow, longest: Int) {
    self.row = row
    self.longest = longest
    longestWay = row.lengths.reduce(0, max) + longest
    extensions = row.segments.indices.map { index in
      let added = index + 1..<row.extent(from: index)
      return Extension(
        last: added.upperBound - 1, length: added.reduce(0) { max($0, row.lengths[$1]) },
        canFollow: added.contains { row.canFollow[$0] })
    }
  }

  /// The chains whose eBPF instructions and room add up to least.
  func chains(price: Double) -> [Chain] {
    // What the room of a chain costs, by its length.
    var rooms = [price]
    while rooms.count <= longestWay { rooms.append(rooms[rooms.count - 1] * 2) }
    // For each segment what the best chains from it to the end cost, and how many tests the first one has.
    var best = [Double](repeating: 0, count: row.count + 1)
    var tests = [Int](repeating: 0, count: row.count)
    for start in (0..<row.count).reversed() {
      var last = start
      var length = row.lengths[start]
      var canFollow = row.canFollow[start]
      // A comparison leads to every chain but one.
      var least = 1 + rooms[length] + best[start + 1]
      for count in 1...longest {
        let next = extensions[last]
        // One chain less saves two instructions at most; one more test doubles the room.
        guard next.last > last, count == 1 || rooms[length] <= 2 else { break }
        last = next.last
        length = max(length, next.length + count - 1) + 1
        canFollow = canFollow || next.canFollow
        let cost = Double(count + (canFollow ? 1 : 2)) + rooms[length] + best[last + 1]
        if cost < least { (least, tests[start]) = (cost, count) }
      }
      best[start] = least
    }
    var chains: [Chain] = []
    var start = 0
    while start < row.count {
      var chain = Chain(start, in: row)
      while chain.tests < tests[start], chain.extend(in: row) {}
      chains.append(chain)
      start = chain.part.upperBound
    }
    return chains
  }
}
