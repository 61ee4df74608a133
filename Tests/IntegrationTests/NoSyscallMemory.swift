import Cordon
import Glibc
import GuestCode
import SystemPackage
import Testing

/// Memory that is marked as making no system calls, in whole and in parts.
@Suite struct NoSyscallMemory {
  @Test(arguments: mechanisms)
  func `parts are unmarked and marked again, split and joined`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let session = guest.session
      let others = session.regions.count
      let range = try session.map(5 * 4096 - 100, [.read, .write, .noSyscall])
      check(range.length, 5 * page, "the length in whole pages")
      fill(range)
      check(session.regions.count, others + 1, "regions: data that is marked")
      try session.protect(range, [.read, .execute, .noSyscall])
      check(trapping(range), [true, true, true, true, true], "marked")
      check(session.regions.count, others + 1, "regions")
      try session.protect(pages(range, 1..<3), [.read, .execute])
      check(trapping(range), [true, false, false, true, true], "a part unmarked")
      check(session.regions.count, others + 2, "regions: it is split")
      try session.protect(pages(range, 0..<1), [.read, .execute, .noSyscall])
      check(session.regions.count, others + 2, "regions: marked twice")
      try session.protect(pages(range, 2..<3), [.read, .execute, .noSyscall])
      check(trapping(range), [true, false, true, true, true], "a part marked again")
      check(session.regions.count, others + 2, "regions: it is joined")
      try session.protect(pages(range, 1..<2), [.read, .execute, .noSyscall])
      check(trapping(range), [true, true, true, true, true], "all marked again")
      check(session.regions.count, others + 1, "regions: one")
      try session.unmap(pages(range, 1..<2))
      check(session.regions.count, others + 2, "regions: a hole")
      check(trapping(try pages(range, 2..<5)), [true, true, true], "behind the hole")

      // What cannot be changes nothing.
      let regions = session.regions
      #expect(throws: SessionError.self) { try session.protect(pages(range, 1..<3), [.read]) }
      #expect(throws: SessionError.memory(.invalidArgument)) {
        try session.protect(AddressRange(start: range.start + 1, end: range.end), [.read])
      }
      #expect(throws: SessionError.memory(.invalidArgument)) { try session.map(0, [.read]) }
      let nowhere = try AddressRange(start: 0x6000_0000_0000, end: 0x6000_0000_1000)
      #expect(throws: SessionError.memory(.noMemory)) { try session.protect(nowhere, [.read, .noSyscall]) }
      check(session.regions, regions, "the regions")
      check(call(range.start), 4711, "a call")
      for part in [0..<1, 2..<5] as [Range<UInt64>] { try session.unmap(pages(range, part)) }
      check(session.regions.count, others, "regions")
    }
  }

  @Test(arguments: mechanisms)
  func `a marked mapping becomes longer and shorter`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let session = guest.session
      let others = session.regions.count
      for marked in [true, false] {
        let usual: Protection = marked ? [.read, .write, .execute, .noSyscall] : [.read, .write, .execute]
        var range = try session.map(2 * 4096, usual)
        fill(range)
        let old = range
        range = try session.remap(range, to: 5 * 4096)
        check(range.length, 5 * page, "its length")
        check(trapping(try pages(range, 0..<2)), [marked, marked], "what was moved")
        fill(range)
        check(trapping(range), [Bool](repeating: marked, count: 5), "what was added")
        #expect(!range.overlaps(old))
        range = try session.remap(range, to: 4096)
        check(trapping(range), [marked], "what is left")
        check(session.regions.count, others + (marked ? 1 : 0), "regions")
        try session.unmap(range)
        check(session.regions.count, others, "regions")
      }
    }
  }

  @Test func `marks that need no filter, and marks on others' memory`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let filters = guest.session.statistics.filters
      for _ in 0..<100 {
        let range = try guest.session.map(3 * 4096, [.read, .write, .execute, .noSyscall])
        fill(range)
        check(trapping(range), [true, true, true], "marked from birth")
        try guest.session.unmap(range)
      }
      check(guest.session.statistics.filters, filters, "filters")
      // Unpacked into memory that is not executable, and made executable then.
      let size = 4096
      let base = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
      let start = UInt64(UInt(bitPattern: base))
      let range = try AddressRange(start: start, end: start + 4096)
      fill(range)
      try guest.session.protect(range, [.read, .execute, .noSyscall])
      check(trapping(range), [true], "marked")
      try guest.session.protect(range, [.read, .execute])
      check(trapping(range), [false], "unmarked: passed through")
      check(guest.session.statistics.staleRanges, 1, "stale ranges")
      let mapped = try guest.session.mapExecutable(GuestTemplate.getpid.code)
      #expect(throws: SessionError.notMapped(mapped.range)) { try guest.session.unmap(mapped.range) }
      let template = unsafeBitCast(UInt(mapped.range.start), to: (@convention(c) () -> Int).self)
      check(guest_fork_and_call(template, 4711), 0, "in children")
    }
  }
}

private let page: UInt64 = 4096

/// Writes `getpid` to the start of each page of a range.
private func fill(_ range: AddressRange) {
  for start in stride(from: range.start, to: range.end, by: Int(page)) {
    guest_write(start, GuestTemplate.getpid.code, GuestTemplate.getpid.code.count)
  }
}

/// Which of the pages' calls trap.
private func trapping(_ range: AddressRange) -> [Bool] {
  stride(from: range.start, to: range.end, by: Int(page)).map { call($0) == 4711 }
}

private func pages(_ range: AddressRange, _ bounds: Range<UInt64>) throws -> AddressRange {
  try AddressRange(start: range.start + bounds.lowerBound * page, end: range.start + bounds.upperBound * page)
}
