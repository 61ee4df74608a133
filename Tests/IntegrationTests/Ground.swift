import Glibc
import GuestCode

/// Pages at chosen addresses on which single instructions are placed and run.
struct Ground {
  let start: UInt64
  let size: UInt64
  private static let fixedNoReplace: Int32 = 0x10_0000
  static let pageSize: UInt64 = 4096

  /// nil where something is mapped already, or this user may map nothing.
  init?(at start: UInt64, size: UInt64) {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | Ground.fixedNoReplace
    let protection = PROT_READ | PROT_WRITE | PROT_EXEC
    let found = nativeCall(Number.mmap, Int(start), Int(size), Int(protection), Int(flags), -1, 0)
    guard found >= 0 || found < -4095 else { return nil }
    guard UInt64(bitPattern: Int64(found)) == start else {
      munmap(UnsafeMutableRawPointer(bitPattern: found), Int(size))
      return nil
    }
    self.start = start
    self.size = size
  }

  /// The lowest page that this user may map.
  static func lowest() -> Ground? {
    for start in stride(from: UInt64(0), through: 0x20000, by: 0x1000) {
      if let ground = Ground(at: start, size: 0x1000) { return ground }
    }
    return nil
  }

  /// Lines between two 4 GiB blocks, with `size` bytes free on both sides of each.
  static func lines(_ count: Int, size: UInt64, apart: UInt64 = 1 << 32) -> [(line: UInt64, ground: Ground)] {
    var found: [(UInt64, Ground)] = []
    var line: UInt64 = 0x7_0000_0000
    while found.count < count {
      line += apart
      if let ground = Ground(at: line - size, size: 2 * size) { found.append((line, ground)) }
    }
    return found
  }

  /// Unmaps the pages.
  func release() { nativeCall(Number.munmap, Int(start), Int(size)) }

  /// Places `syscall` and, where there is room, `ret` at `address`.
  func place(at address: UInt64) { write([0x0f, 0x05, 0xc3], at: address) }

  /// Puts `int3` where something was placed.
  func clear(at address: UInt64) { write([0xcc, 0xcc, 0xcc], at: address) }

  /// Makes the call getpid from an instruction that lies at `address` meanwhile.
  func call(at address: UInt64) -> Int {
    place(at: address)
    defer { clear(at: address) }
    return guest_enter(address, Number.getpid, 0, 0, 0, 0)
  }

  /// Whether an instruction of two bytes at `address` lies on these pages.
  func contains(_ address: UInt64) -> Bool { address >= start && address + 1 < start + size }

  private func write(_ bytes: [UInt8], at address: UInt64) {
    guest_write(address, bytes, min(bytes.count, Int(start + size - address)))
  }
}
