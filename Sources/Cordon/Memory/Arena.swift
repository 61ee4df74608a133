import FilterCompiler
import Glibc
import TrapEngine

/// A 4 GiB block of address space, aligned to 4 GiB, in which a session maps its own regions. All addresses of the block
/// share their upper 32 bits, and nothing else is ever mapped there, so one comparison decides for all of it.
///
/// The kernel sees the address after an instruction, so what ends at the block's first byte lies below it: the last page
/// there belongs to the arena too, and the block's own last page stays empty.
struct Arena: Sendable {
  /// The block and the page below it. What is not mapped in it is reserved without access.
  let range: AddressRange
  private var free: FreePages

  private static let blockSize: UInt64 = 1 << 32
  static let page = UInt64(sysconf(Int32(_SC_PAGESIZE)))

  /// Where blocks go: above what a program of fixed address uses, below where the kernel puts position-independent
  /// programs (0x5555…), and clear of the bottom-up layouts (0x1555…, 0x2aaa…) and of sanitizers' shadows (up to
  /// 0x1000…). A filter outlives exec, so the block must not lie where a later program's code may land; and the
  /// native code of this process stays in one piece, which syscall user dispatch needs for its one allowed range.
  private static let zone: Range<UInt64> = 0x1100_0000_0000..<0x1500_0000_0000

  /// Reserves a block; nil where the address space is limited.
  init?() {
    guard cordon_engine_prepare() == 0, let block = Arena.reserveInZone() ?? Arena.reserveAnywhere(),
      let range = try? AddressRange(start: block - Arena.page, end: block + Arena.blockSize)
    else { return nil }
    self.range = range
    free = FreePages(block..<block + Arena.blockSize - Arena.page)
  }

  /// A random place, so that an address in the block cannot be guessed from another process's.
  private static func reserveInZone() -> UInt64? {
    for _ in 0..<16 {
      let block = UInt64.random(in: zone) & ~(blockSize - 1)
      if reserve(blockSize + page, at: block - page) != nil { return block }
    }
    return nil
  }

  private static func reserveAnywhere() -> UInt64? {
    // Twice the size holds an aligned block and a page below, unless it lies on the line itself.
    guard let start = reserve(blockSize * 2, at: nil) else { return nil }
    let block = (start + page + blockSize - 1) & ~(blockSize - 1)
    guard block + blockSize <= start + blockSize * 2 else {
      release(start..<start + blockSize * 2)
      return nil
    }
    release(start..<block - page)
    release(block + blockSize..<start + blockSize * 2)
    return block
  }

  private static func reserve(_ size: UInt64, at address: UInt64?) -> UInt64? {
    guard let start = try? PageMapping.reserve(size, at: address) else { return nil }
    if let address, start != address {
      release(start..<start + size)
      return nil
    }
    return start
  }

  private static func release(_ range: Range<UInt64>) { PageMapping.unmap(range) }

  /// Takes so many bytes, whole pages, for something to be mapped there; nil where the block has no such room.
  mutating func take(_ size: UInt64) -> UInt64? { free.take(size) }

  /// Takes these pages; false where not all of them are free.
  mutating func take(_ range: Range<UInt64>) -> Bool { free.take(range) }

  /// Takes those of these pages that are free, and says which they are.
  mutating func takeAll(in range: AddressRange) -> [Range<UInt64>] {
    let wanted = range.start..<range.end
    return free.ranges.filter { $0.overlaps(wanted) }.map { $0.clamped(to: wanted) }.filter { free.take($0) }
  }

  /// Those of these pages that are in use.
  func taken(in range: AddressRange) -> [Range<UInt64>] {
    var taken: [Range<UInt64>] = []
    var next = max(range.start, self.range.start + Arena.page)
    let end = min(range.end, self.range.end - Arena.page)
    for pages in free.ranges where pages.upperBound > next {
      if pages.lowerBound > next, next < end { taken.append(next..<min(pages.lowerBound, end)) }
      next = pages.upperBound
    }
    if next < end { taken.append(next..<end) }
    return taken
  }

  /// Whether none of these pages is free.
  func isTaken(_ range: Range<UInt64>) -> Bool { !free.ranges.contains { $0.overlaps(range) } }

  /// Takes pages back: nothing is mapped there any more, and they can be taken again.
  mutating func give(_ range: Range<UInt64>) throws(SessionError) {
    try PageMapping.reserveAgain(range)
    free.give(range)
  }

  /// Unmaps all of the block.
  func unmap() { PageMapping.unmap(range.start..<range.end) }

  /// The instruction pointers of code in it: all that have the block's upper half.
  var pointers: IntervalSet.Interval {
    IntervalSet.Interval(range.start + Arena.page, range.end - 1)
  }

  /// Whether all of a range belongs to the pages that can be taken.
  func contains(_ range: AddressRange) -> Bool {
    self.range.start + Arena.page <= range.start && range.end <= self.range.end - Arena.page
  }
}
