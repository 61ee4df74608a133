/// A row of segments, cut into chains that a balanced tree of comparisons leads to.
///
/// Longer chains make fewer of them, and a smaller filter; shorter chains make shorter ways. The cost that is made least
/// is the product of the two: **eBPF instructions of the filter times instructions on its longest way**. One per cent of
/// the kernel's budget is worth as much as one per cent of the longest way. No way gets more than one test longer than
/// it would have to be.
///
/// It is no search of all trees. Where that can be made, for rows of up to 12 segments that are answers, 866 of 1,000 come
/// out optimal, and the others cost 2 % to 14 % more than they must (`compiler.small` of `make bench`).
struct ChainPartition {
  let chains: [Chain]
  /// How many eBPF instructions all tests take: those of the chains, and one comparison between each two.
  let size: Int
  /// The most instructions on a way through the tree and what follows it.
  let length: Int

  /// How many tests a chain has at most; longer ones save next to nothing.
  private static let longestChain = 8
  /// Rows above this size are tried at fewer prices, and at no more where less than a thousandth of the filter's size can
  /// be saved: one more or less among so many chains hardly counts.
  private static let largeRow = 100

  private init(_ chains: [Chain], of row: SegmentRow) {
    self.chains = chains
    length = Self.length(of: chains)
    guard row.count <= Self.largeRow else {
      size = chains.reduce(chains.count - 1) { $0 + $1.size }
      return
    }
    // A comparison between two answers, which lie elsewhere, takes two.
    size =
      BalancedTree(chains, of: row).build(
        leaf: { index -> (size: Int, isAnswer: Bool) in
          (chains[index].size, chains[index].tests == 0 && !row.segments[chains[index].end - 1].canFollow)
        },
        join: { _, below, above in
          (below.size + above.size + (below.isAnswer && above.isAnswer ? 2 : 1), false)
        }
      ).size
  }

  /// The partition of least cost; `rest` is what the rest of the filter takes.
  static func cheapest(_ row: SegmentRow, besides rest: (size: Int, length: Int)) -> ChainPartition {
    let found = row.isPlain ? even(row) : searched(row, besides: rest.size)
    let least = found.reduce(Int.max) { min($0, $1.length) }
    func cost(_ partition: ChainPartition) -> Int { (rest.size + partition.size) * (rest.length + partition.length) }
    guard let cheapest = found.lazy.filter({ $0.length <= least + 1 }).min(by: { cost($0) < cost($1) }) else {
      preconditionFailure("a row has segments")
    }
    return cheapest
  }

  /// Where all segments are worth the same, the best chains are about as long as each other.
  private static func even(_ row: SegmentRow) -> [ChainPartition] {
    (1...longestChain).map { longest in
      let count = (row.count + longest) / (longest + 1)
      let chains = (0..<count).map { index in
        var chain = Chain(row.count * index / count, in: row)
        while chain.part.upperBound < row.count * (index + 1) / count, chain.extend(in: row) {}
        return chain
      }
      return ChainPartition(chains, of: row)
    }
  }

  /// The best partitions at many prices: where ways are dear, chains are short; from price to price some get longer.
  private static func searched(_ row: SegmentRow, besides rest: Int) -> [ChainPartition] {
    // A tree without chains is low.
    var found = [ChainPartition(row.segments.indices.map { Chain($0, in: row) }, of: row)]
    var least = found[0].length
    var search = ChainSearch(row, longest: longestChain)
    let shortest = row.segments.reduce(Int.max) { min($0, $1.length) }
    let steps = row.count > largeRow ? 1 : 4
    // No partition takes fewer tests than one chain.
    let smallest = rest + Chain(whole: row).size
    for step in 0... {
      let (octave, part) = step.quotientAndRemainder(dividingBy: steps)
      let price = Double.powerOfTwo(-shortest - octave) / (1 + Double(part) / Double(steps))
      let partition = ChainPartition(search.chains(price: price), of: row)
      least = min(least, partition.length)
      if partition.length > least + 1 { break }
      found.append(partition)
      if row.count > largeRow, partition.length == least, (rest + partition.size - smallest) * 1000 < smallest { break }
      if partition.chains.count == 1 || octave > longestChain + 8 { break }
    }
    return found
  }

  /// The length of the longest way in the lowest tree over the chains: each gets the first free place of its size.
  private static func length(of chains: [Chain]) -> Int {
    // In units of the smallest room; trees are nowhere near as high as a word has bits.
    let shortest = chains.reduce(Int.max) { min($0, $1.length) }
    var used: UInt64 = 0
    for chain in chains {
      let room: UInt64 = 1 << UInt64(min(chain.length - shortest, 48))
      used = (used + (room - 1)) & ~(room - 1) + room
    }
    var length = shortest
    while 1 << UInt64(length - shortest) < used { length += 1 }
    return length
  }
}

extension Double {
  static func powerOfTwo(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }
}
