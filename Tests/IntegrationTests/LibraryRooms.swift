import Cordon
import Glibc
import GuestCode
import SystemPackage
import Testing

/// Regions at chosen addresses, where the kernel is going to map libraries: those must not trap as long as that can be had.
@Suite struct LibraryRooms {
  @Test func `regions where libraries go`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let session = guest.session
      func trap(_ start: UInt64) throws -> Int {
        let ground = try #require(Ground(at: start, size: 0x1000), "\(hex(start))")
        try session.trap(AddressRange(start: start, end: start + 0x1000))
        check(ground.call(at: start), 4711, "its call")
        return session.statistics.filters
      }
      for (index, start) in [0x2000_0000_0000, 0x3000_0000_0000, 0x4000_0000_0000, 0x5000_0000_0000].enumerated() {
        check(try trap(UInt64(start)), 2, "filters after clear region \(index)")
      }
      #expect(try trap(0x6_0000_0000) == 3)
      #expect(!callsOfNewLibraryTrap(in: session))
      let size = 1 << 30
      let large = nativeCall(Number.mmap, 0, size, 0, Int(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE), -1, 0)
      check(nativeCall(Number.munmap, large, size), 0, "munmap")
      let lowest = UInt64(large + size)
      // What would lie there after a gigabyte of libraries, and what after 16 MiB.
      #expect(try trap(lowest - UInt64(size)) == 4)
      #expect(!callsOfNewLibraryTrap(in: session))
      #expect(try trap(lowest - (16 << 20)) == 5)
      #expect(callsOfNewLibraryTrap(in: session))
      // And no more filters from then on, whatever is chosen.
      for start in [lowest - (2 << 30), lowest - (1 << 20), lowest - 0x1000, 0x5_0000_0000] {
        check(try trap(start), 5, "filters after \(hex(start))")
      }
      check(Int(getppid()), nativeCall(Number.getppid), "libc's calls")
    }
  }

  /// One library after the other, which are files' code, becomes a region: the others keep their room.
  @Test func `libraries that become regions`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      for number in 1...6 {
        let file = "library".withCString { nativeCall(Number.memfdCreate, Int(bitPattern: $0), 0) }
        let code = GuestTemplate.getpid.code
        check(write(Int32(file), code, code.count), code.count, "the library's code")
        let flags = Int(MAP_PRIVATE)
        let start = UInt64(nativeCall(Number.mmap, 0, 0x1000, Int(PROT_READ | PROT_EXEC), flags, file, 0))
        try guest.session.trap(AddressRange(start: start, end: start + 0x1000))
        check(call(start), 4711, "the call of library \(number)")
        check(guest.session.statistics.filters, number + 1, "filters")
        #expect(!callsOfNewLibraryTrap(in: guest.session))
      }
    }
  }
}

/// Has the kernel place code, as it does a library's.
private func callsOfNewLibraryTrap(in session: Session) -> Bool {
  let start = nativeCall(Number.mmap, 0, 0x1000, 7, Int(MAP_PRIVATE | MAP_ANONYMOUS), -1, 0)
  guest_write(UInt64(start), [0x0f, 0x05, 0xc3], 3)
  let before = session.statistics.unasked
  check(guest_enter(UInt64(start), Number.getpid, 0, 0, 0, 0), Int(getpid()), "a library's call")
  check(nativeCall(Number.munmap, start, 0x1000), 0, "munmap")
  return session.statistics.unasked > before
}
