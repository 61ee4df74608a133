/// Finds, for one price after another, the chains that a row is best cut into.
///
/// A chain from which ways of `n` instructions lead on can stand at most `h - n` tests deep in a tree of height `h`, so it
/// takes a share of 2^(n - h) of that tree (Kraft's inequality): what chains have to share is the sum of their 2^n. At a
/// price for that room, the best chains from each segment to the end follow from the best ones from later segments.
struct ChainSearch {
  /// The best chains from a segment to the end: what they cost, and the first of them.
  private struct Solution {
    var cost: Double
    var first: Chain
  }

  private let row: SegmentRow
  /// For each segment, what one more test adds to a chain that ends with it.
  private let extensions: [Chain.Extension]
  private var solutions: [Solution]
  private let longest: Int
  /// No chain leads to a longer one.
  private let longestWay: Int

  /// A search for chains that have at most `longest` tests each.
  init(_ row: SegmentRow, longest: Int) {
    self.row = row
    self.longest = longest
    longestWay = row.segments.reduce(0) { max($0, $1.length) } + longest
    extensions = row.segments.indices.map { Chain.Extension(behind: $0, in: row) }
    // The last one stands for the end, behind which nothing costs anything.
    solutions = [Solution](repeating: Solution(cost: 0, first: Chain(0, in: row)), count: row.count + 1)
  }

  /// The chains whose eBPF instructions and room add up to least.
  mutating func chains(price: Double) -> [Chain] {
    // What the room of a chain costs, by its length.
    var rooms = [price]
    rooms.reserveCapacity(longestWay + 1)
    while rooms.count <= longestWay { rooms.append(rooms[rooms.count - 1] * 2) }
    for start in (0..<row.count).reversed() {
      var chain = Chain(start, in: row)
      // A comparison leads to every chain but one.
      var best = Solution(cost: 1 + rooms[chain.length] + solutions[start + 1].cost, first: chain)
      // One chain less saves two instructions at most; one more test doubles the room.
      while chain.tests < longest, chain.tests == 0 || rooms[chain.length] <= 2,
        chain.extend(by: extensions[chain.end - 1])
      {
        let cost = 1 + Double(chain.size) + rooms[chain.length] + solutions[chain.end].cost
        if cost < best.cost { best = Solution(cost: cost, first: chain) }
      }
      solutions[start] = best
    }
    return chains()
  }

  /// The chains of the solutions, from the first segment to the last.
  private func chains() -> [Chain] {
    var count = 0
    var start = 0
    while start < row.count {
      start = solutions[start].first.end
      count += 1
    }
    var chains: [Chain] = []
    chains.reserveCapacity(count)
    start = 0
    while start < row.count {
      chains.append(solutions[start].first)
      start = solutions[start].first.end
    }
    return chains
  }
}
