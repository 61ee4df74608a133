import Cordon
import CordonComparator
import Glibc
import SeededNumbers
import TrapEngine

/// Regions at addresses that someone else has chosen, all over what a process may map.
enum ScatteredChanges {
  /// A page of code at an address; nil where something lies there.
  static func place(_ address: UInt64, size: Int = 4096) -> Bool {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | 0x10_0000  // MAP_FIXED_NOREPLACE
    let wanted = UnsafeMutableRawPointer(bitPattern: UInt(address))
    guard let base = mmap(wanted, size, PROT_READ | PROT_WRITE, flags, -1, 0), base != MAP_FAILED else { return false }
    for offset in stride(from: 0, to: size, by: 4096) { memcpy(base + offset, Overhead.code, Overhead.code.count) }
    return mprotect(base, size, PROT_READ | PROT_EXEC) == 0
  }

  /// 1,000 changes; meanwhile libraries are loaded, so many of such a size, and their calls must not trap.
  /// - Parameter librarySize: in bytes of address space.
  static func run(libraries count: Int, librarySize: UInt64) throws -> [String: Double] {
    let before = getppidNanoseconds()
    let session = try Overhead.session(.seccomp, regions: 1)
    var random = SplitMix64(seed: UInt64(getpid()))
    var libraries: [NativeLibrary] = []
    var made = 0
    while made < 1000 {
      let address = UInt64.random(in: 0x10_0000..<0x7fff_0000_0000, using: &random) & ~0xfff
      guard place(address) else { continue }
      made += 1
      try session.trap(AddressRange(start: address, end: address + 4096))
      guard Overhead.call(address) == Overhead.answer else { throw LiveFailure("change \(made) did not trap") }
      if made.isMultiple(of: 1000 / count) { libraries.append(try NativeLibrary(size: librarySize)) }
    }
    let after = getppidNanoseconds()
    let statistics = session.statistics
    // Nothing but regions' calls has come to the handler, those of libc among them.
    for _ in 0..<100 { _ = getppid() }
    let unasked = session.statistics.unasked
    // Nor do those of the new libraries, one call each.
    let parent = Int(getppid())
    guard libraries.allSatisfy({ $0.call() == parent }) else { throw LiveFailure("a library's call failed") }
    let caught = session.statistics.unasked - unasked
    return [
      "overhead": after - before, "filters": Double(statistics.filters), "libraries": Double(libraries.count),
      "caught": Double(unasked + caught), "libraries-caught": Double(caught),
    ]
  }

  /// Native code that becomes a region, page after page: there is nothing to widen over. Up to the last filter, and past
  /// it.
  /// - Parameter used: of the 32,768 instructions that the kernel allows in all, about how many somebody else's filters use.
  static func worstCase(used: Int = 0) throws -> [String: Double] {
    let before = getppidNanoseconds()
    let session = try Overhead.session(.seccomp, regions: 1)
    if used > 0 { try useUp(used) }
    let pages: UInt64 = 400
    let start: UInt64 = 0x5_0000_0000
    guard place(start, size: Int(pages) * 8192) else { throw LiveFailure("no room") }
    var found: [String: Double] = [:]
    for page in 0..<pages {
      let address = start + page * 8192
      try session.trap(AddressRange(start: address, end: address + 4096))
      guard Overhead.call(address) == Overhead.answer, Overhead.call(address + 4096) == Int(getppid()) else {
        throw LiveFailure("page \(page)")
      }
      let filters = session.statistics.filters
      if [4, 8, 16, 24].contains(filters), found["filters-\(filters)"] == nil {
        found["filters-\(filters)"] = getppidNanoseconds() - before
      }
    }
    found["filters"] = Double(session.statistics.filters)
    found["overhead"] = getppidNanoseconds() - before
    return found
  }

  /// Has filters of others' use up the kernel's budget: they allow everything in their first instruction.
  private static func useUp(_ count: Int) throws {
    let allow: UInt64 = 0x06 | 0x7fff_0000 << 32  // RET, SECCOMP_RET_ALLOW
    _ = cordon_gate_call(157, 38, 1, 0, 0, 0, 0)  // prctl(PR_SET_NO_NEW_PRIVS)
    // Each is translated to two, and a filter needs some of its own.
    var left = count / 2
    while left > 0 {
      let code = [UInt64](repeating: allow, count: min(left, 4096))
      let result = code.withUnsafeBytes { cordon_seccomp_load($0.baseAddress, UInt16(code.count), 1) }
      guard result == 0 else { throw LiveFailure("filters of \(count) instructions: \(result)") }
      left -= code.count
    }
  }
}
