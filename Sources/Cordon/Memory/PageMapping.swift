import FilterCompiler
import Glibc
import SystemPackage
import TrapEngine

/// Mapping and unmapping of whole pages. The system calls are made from the gate: they work in the middle of a change,
/// whatever code of the process traps.
enum PageMapping {
  private enum Number {
    static let mmap = 9
    static let mprotect = 10
    static let munmap = 11
    static let mremap = 25
    static let msync = 26
  }
  private static let fixedNoReplace = 0x10_0000  // MAP_FIXED_NOREPLACE, Linux 4.17; a mere hint before that
  private static let noReserve = 0x4000  // MAP_NORESERVE
  private static let breakpoint: UInt8 = 0xcc

  /// So many bytes in whole pages, at least one.
  static func pages(_ size: Int) -> UInt64 { (max(UInt64(size), 1) + Arena.page - 1) / Arena.page * Arena.page }

  private static func call(_ number: Int, _ a: UInt64, _ b: UInt64, _ c: Int, _ d: Int, _ e: Int, _ f: Int)
    throws(Errno)
    -> UInt64
  {
    let result = cordon_gate_call(number, Int(bitPattern: UInt(a)), Int(b), c, d, e, f)
    if result < 0, result > -4096 { throw Errno(rawValue: CInt(-result)) }
    return UInt64(UInt(bitPattern: result))
  }

  /// Address space that nothing else is mapped into; where the kernel wants, or at `address`, if that is free.
  static func reserve(_ size: UInt64, at address: UInt64?) throws(Errno) -> UInt64 {
    let flags = Int(MAP_PRIVATE | MAP_ANONYMOUS) | noReserve | (address == nil ? 0 : fixedNoReplace)
    return try call(Number.mmap, address ?? 0, size, Int(PROT_NONE), flags, -1, 0)
  }

  /// Has a range of an arena hold nothing again.
  static func reserveAgain(_ range: Range<UInt64>) throws(SessionError) {
    let flags = Int(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED) | noReserve
    do throws(Errno) {
      _ = try call(Number.mmap, range.lowerBound, UInt64(range.count), Int(PROT_NONE), flags, -1, 0)
    } catch { throw .memory(error) }
  }

  static func unmap(_ range: Range<UInt64>) {
    if !range.isEmpty { _ = try? call(Number.munmap, range.lowerBound, UInt64(range.count), 0, 0, 0, 0) }
  }

  /// Maps memory as mmap(2) does.
  static func map(_ size: UInt64, at address: UInt64, protection: CInt, flags: CInt, file: CInt, offset: Int)
    throws(Errno)
    -> UInt64
  {
    try call(Number.mmap, address, size, Int(protection), Int(flags), Int(file), offset)
  }

  /// How much of a range is mapped from its start on. Asked by msync(2) with MS_ASYNC, which does nothing else.
  static func mappedPart(of range: AddressRange) -> UInt64 {
    func isMapped(_ length: UInt64) -> Bool {
      (try? call(Number.msync, range.start, length, Int(MS_ASYNC), 0, 0, 0)) != nil
    }
    if isMapped(range.length) { return range.length }
    var (done, failed) = (UInt64(0), range.length / Arena.page)
    while failed - done > 1 {
      let middle = (done + failed) / 2
      if isMapped(middle * Arena.page) { done = middle } else { failed = middle }
    }
    return done * Arena.page
  }

  static func protect(_ range: Range<UInt64>, _ protection: CInt) throws(Errno) {
    _ = try call(Number.mprotect, range.lowerBound, UInt64(range.count), Int(protection), 0, 0, 0)
  }

  static func remap(_ range: Range<UInt64>, to size: UInt64, at address: UInt64?, mayMove: Bool) throws(Errno) -> UInt64
  {
    let flags = address != nil ? 3 : mayMove ? 1 : 0  // MREMAP_FIXED, MREMAP_MAYMOVE
    return try call(
      Number.mremap, range.lowerBound, UInt64(range.count), Int(size), flags, Int(bitPattern: UInt(address ?? 0)), 0)
  }

  /// Maps code, readable and executable and never writable once it can run; where the kernel puts it, or over what is
  /// reserved at `address`. What is left of the last page is `int3`.
  static func map(_ code: [UInt8], at address: UInt64?) throws(SessionError) -> AddressRange {
    let size = pages(code.count)
    do throws(Errno) {
      let start = try map(
        size, at: address ?? 0, protection: PROT_READ | PROT_WRITE,
        flags: MAP_PRIVATE | MAP_ANONYMOUS | (address == nil ? 0 : MAP_FIXED), file: -1, offset: 0)
      if let base = UnsafeMutableRawPointer(bitPattern: UInt(start)) {
        code.withUnsafeBytes { bytes in
          if let first = bytes.baseAddress { memcpy(base, first, bytes.count) }
        }
        memset(base + code.count, CInt(breakpoint), Int(size) - code.count)
      }
      do throws(Errno) {
        try protect(start..<start + size, PROT_READ | PROT_EXEC)
      } catch {
        if address == nil { unmap(start..<start + size) }
        throw error
      }
      guard let range = try? AddressRange(start: start, end: start + size) else { throw Errno.badAddress }
      return range
    } catch { throw .memory(error) }
  }
}
