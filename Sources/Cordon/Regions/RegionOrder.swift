import FilterCompiler

/// Regions in the order of their addresses, which may overlap. A row of short sorted rows: a change moves a few of them,
/// however many there are.
struct RegionOrder {
  /// One region: where it lies, and which it is.
  struct Key {
    var start: UInt64
    var end: UInt64
    /// Of two that start at the same place, the one declared later comes later.
    var serial: UInt64
    var index: Int

    func precedes(_ other: Key) -> Bool { (start, serial) < (other.start, other.serial) }
  }

  private struct Chunk {
    var keys: [Key]
    /// The highest end among them.
    var end: UInt64

    init(_ keys: [Key]) {
      self.keys = keys
      end = keys.reduce(0) { max($0, $1.end) }
    }
  }

  private static let capacity = 128
  private var chunks: [Chunk] = []

  init() {}

  /// How many there are.
  private(set) var count = 0

  mutating func insert(_ key: Key) {
    count += 1
    guard !chunks.isEmpty else {
      chunks.append(Chunk([key]))
      return
    }
    let place = chunk(for: key)
    chunks[place].keys.insert(key, at: position(of: key, in: chunks[place].keys))
    chunks[place].end = max(chunks[place].end, key.end)
    if chunks[place].keys.count > Self.capacity {
      let half = Array(chunks[place].keys[(Self.capacity / 2)...])
      chunks[place] = Chunk(Array(chunks[place].keys[..<(Self.capacity / 2)]))
      chunks.insert(Chunk(half), at: place + 1)
    }
  }

  /// Takes out a key that is in it.
  mutating func remove(_ key: Key) {
    guard !chunks.isEmpty else { return }
    let place = chunk(for: key)
    let position = position(of: key, in: chunks[place].keys)
    guard position < chunks[place].keys.count, chunks[place].keys[position].serial == key.serial else { return }
    count -= 1
    chunks[place].keys.remove(at: position)
    if chunks[place].keys.isEmpty {
      chunks.remove(at: place)
    } else if chunks[place].end == key.end {
      chunks[place].end = chunks[place].keys.reduce(0) { max($0, $1.end) }
    }
  }

  /// Those that have a byte of `start..<end`, in order.
  func overlapping(_ start: UInt64, _ end: UInt64) -> [Key] {
    var found: [Key] = []
    for chunk in chunks {
      guard chunk.keys[0].start < end else { break }
      guard chunk.end > start else { continue }
      for key in chunk.keys {
        guard key.start < end else { break }
        if key.end > start { found.append(key) }
      }
    }
    return found
  }

  /// The last chunk that begins at or before the key.
  private func chunk(for key: Key) -> Int {
    var (low, high) = (0, chunks.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if key.precedes(chunks[middle].keys[0]) { high = middle } else { low = middle }
    }
    return low
  }

  /// Where the key is, or would be.
  private func position(of key: Key, in keys: [Key]) -> Int {
    var (low, high) = (0, keys.count)
    while low < high {
      let middle = (low + high) / 2
      if keys[middle].precedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
