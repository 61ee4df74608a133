import FilterCompiler
import Glibc
import SystemPackage

/// A 4 GiB block of address space, aligned to 4 GiB, in which a session maps its own regions. All addresses of the block
/// share their upper 32 bits, and nothing else is ever mapped there, so one comparison decides for all of it.
///
/// The kernel sees the address after an instruction, so what ends at the block's first byte lies below it: the last page
/// there belongs to the arena too, and the block's own last page stays empty.
struct Arena: Sendable {
  /// The block and the page below it. What is not mapped in it is reserved without access.
  let range: AddressRange
  private var next: UInt64

  private static let blockSize: UInt64 = 1 << 32
  private static let page = UInt64(sysconf(Int32(_SC_PAGESIZE)))

  /// Where blocks go: above what a program of fixed address uses, below where the kernel puts position-independent
  /// programs (0x5555…), and clear of the bottom-up layouts (0x1555…, 0x2aaa…) and of sanitizers' shadows (up to
  /// 0x1000…). A filter outlives exec, so the block must not lie where a later program's code may land; and the
  /// native code of this process stays in one piece, which syscall user dispatch needs for its one allowed range.
  private static let zone: Range<UInt64> = 0x1100_0000_0000..<0x1500_0000_0000

  /// Reserves a block; nil where the address space is limited.
  init?() {
    guard let block = Arena.reserveInZone() ?? Arena.reserveAnywhere(),
      let range = try? AddressRange(start: block - Arena.page, end: block + Arena.blockSize)
    else { return nil }
    self.range = range
    next = block
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
    let mapFixedNoReplace: CInt = 0x100000  // Linux 4.17; a mere hint before that
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (address == nil ? 0 : mapFixedNoReplace)
    let wanted = address.flatMap { UnsafeMutableRawPointer(bitPattern: UInt($0)) }
    guard let base = mmap(wanted, Int(size), PROT_NONE, flags, -1, 0), base != MAP_FAILED else { return nil }
    let start = UInt64(UInt(bitPattern: base))
    if let address, start != address {
      release(start..<start + size)
      return nil
    }
    return start
  }

  private static func release(_ range: Range<UInt64>) {
    if !range.isEmpty { munmap(UnsafeMutableRawPointer(bitPattern: UInt(range.lowerBound)), range.count) }
  }

  /// Maps code at the next free pages of the block.
  mutating func map(_ code: [UInt8]) throws(SessionError) -> AddressRange {
    guard Arena.mappedSize(of: code) <= range.end - Arena.page - next else { throw .memory(.noMemory) }
    let mapped = try Arena.map(code, at: next)
    next = mapped.end
    return mapped
  }

  /// Maps code where the kernel puts it.
  static func mapAnywhere(_ code: [UInt8]) throws(SessionError) -> AddressRange { try map(code, at: nil) }

  /// Takes back what was mapped but did not become a region.
  static func unmap(_ range: AddressRange) {
    release(range.start..<range.end)
  }

  private static func mappedSize(of code: [UInt8]) -> UInt64 {
    (max(UInt64(code.count), 1) + page - 1) / page * page
  }

  private static func map(_ code: [UInt8], at address: UInt64?) throws(SessionError) -> AddressRange {
    let size = Int(mappedSize(of: code))
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | (address == nil ? 0 : MAP_FIXED)
    let wanted = address.flatMap { UnsafeMutableRawPointer(bitPattern: UInt($0)) }
    guard let base = mmap(wanted, size, PROT_READ | PROT_WRITE, flags, -1, 0), base != MAP_FAILED else {
      throw .memory(Errno(rawValue: errno))
    }
    let breakpoint: UInt8 = 0xcc
    memset(base, Int32(breakpoint), size)
    code.withUnsafeBytes { bytes in
      if let first = bytes.baseAddress { memcpy(base, first, bytes.count) }
    }
    guard mprotect(base, size, PROT_READ | PROT_EXEC) == 0 else {
      let refused = Errno(rawValue: errno)
      // Inside the block the pages stay reserved; outside they go back.
      if address == nil { munmap(base, size) } else { mmap(base, size, PROT_NONE, flags | MAP_NORESERVE, -1, 0) }
      throw .memory(refused)
    }
    let start = UInt64(UInt(bitPattern: base))
    do { return try AddressRange(start: start, end: start + UInt64(size)) } catch { throw .region(error) }
  }
}
