import FilterCompiler
import SystemPackage

extension Session {
  /// Maps code into fresh memory that is a trapped region from birth: readable and executable, never writable once it
  /// can run. It can be done at any time.
  ///
  /// The session keeps a 4 GiB block of address space for such regions (reserved, not allocated), so that one comparison
  /// of the address's upper half decides for all of them, and one that comes later needs no new filter. Where that much
  /// address space is not to be had (RLIMIT_AS), or the block is full, the code is mapped where the kernel puts it.
  ///
  /// The memory lives until ``unmap(_:)``; else as long as the session, and once that is activated, as long as the process.
  /// - Parameter code: at least 2 bytes of machine code; the region is rounded up to whole pages, filled with `int3`.
  /// - Throws: ``SessionError/memory(_:)`` where it cannot be mapped, and as ``trap(_:)``.
  public func mapExecutable(_ code: [UInt8]) throws(SessionError) -> Region {
    try state.withLock { state throws(SessionError) in
      let range = try state.mapExecutable(code)
      do throws(SessionError) {
        return try state.make([.declare(range, .trap)])[0]
      } catch {
        try? state.release(range)
        throw error
      }
    }
  }

  /// Removes a region that ``mapExecutable(_:)`` made, and unmaps its memory. No thread may be running there.
  /// - Throws: ``SessionError/noSuchRegion(_:)``, ``SessionError/notMapped(_:)`` where the session has not mapped it, and
  ///   as ``change(_:)``.
  public func unmap(_ region: Region) throws(SessionError) {
    try state.withLock { state throws(SessionError) in
      guard state.store.entry(of: region) != nil else { throw .noSuchRegion(region.range) }
      guard state.mapped[region.range.start] == region.range else { throw .notMapped(region.range) }
      _ = try state.make([.remove(region)])
      try state.release(region.range)
    }
  }
}

extension Session.State {
  /// Maps code in the arena, which is reserved by the first use; anywhere, if the address space does not allow one.
  mutating func mapExecutable(_ code: [UInt8]) throws(SessionError) -> AddressRange {
    if arena == nil { arena = Arena() }
    let size = PageMapping.pages(code.count)
    let range: AddressRange
    if let start = arena?.take(size) {
      do throws(SessionError) {
        range = try PageMapping.map(code, at: start)
      } catch {
        try? arena?.give(start..<start + size)
        throw error
      }
    } else {
      range = try PageMapping.map(code, at: nil)
    }
    mapped[range.start] = range
    return range
  }

  /// Unmaps what was mapped.
  mutating func release(_ range: AddressRange) throws(SessionError) {
    mapped[range.start] = nil
    if let arena, arena.contains(range) {
      try self.arena?.give(range.start..<range.end)
    } else {
      PageMapping.unmap(range.start..<range.end)
    }
  }
}
