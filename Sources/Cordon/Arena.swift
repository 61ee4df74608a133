import FilterCompiler
import Glibc
import SystemPackage

/// A 4 GiB block of address space, aligned to 4 GiB, in which a session maps its own regions. All addresses of the block
/// share their upper 32 bits, and nothing else is ever mapped there, so one comparison decides for all of it.
struct Arena: Sendable {
  /// The whole block. What is not mapped in it is reserved without access.
  let range: AddressRange
  private var next: UInt64

  private static let blockSize: UInt64 = 1 << 32

  /// Reserves a block; nil where the address space is limited.
  init?() {
    // Twice the size always holds an aligned block; the rest is given back.
    let size = Arena.blockSize * 2
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let base = mmap(nil, Int(size), PROT_NONE, flags, -1, 0), base != MAP_FAILED else { return nil }
    let start = UInt64(UInt(bitPattern: base))
    let aligned = (start + Arena.blockSize - 1) & ~(Arena.blockSize - 1)
    if aligned > start { munmap(base, Int(aligned - start)) }
    let end = aligned + Arena.blockSize
    if start + size > end { munmap(UnsafeMutableRawPointer(bitPattern: UInt(end)), Int(start + size - end)) }
    guard let range = try? AddressRange(start: aligned, end: end) else { return nil }
    self.range = range
    next = aligned
  }

  /// Maps code at the next free pages of the block.
  mutating func map(_ code: [UInt8]) throws(SessionError) -> AddressRange {
    guard Arena.mappedSize(of: code) <= range.end - next else { throw .memory(.noMemory) }
    let mapped = try Arena.map(code, at: next)
    next = mapped.end
    return mapped
  }

  /// Maps code where the kernel puts it.
  static func mapAnywhere(_ code: [UInt8]) throws(SessionError) -> AddressRange { try map(code, at: nil) }

  /// Takes back what was mapped but did not become a region.
  static func unmap(_ range: AddressRange) {
    munmap(UnsafeMutableRawPointer(bitPattern: UInt(range.start)), Int(range.length))
  }

  private static func mappedSize(of code: [UInt8]) -> UInt64 {
    let page = UInt64(sysconf(Int32(_SC_PAGESIZE)))
    return (max(UInt64(code.count), 1) + page - 1) / page * page
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
