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
      // Code that the kernel places.
      func callsOfNewLibraryTrap() throws -> Bool {
        let start = nativeCall(Number.mmap, 0, 0x1000, 7, Int(MAP_PRIVATE | MAP_ANONYMOUS), -1, 0)
        let place = UInt64(start)
        guest_write(place, [0x0f, 0x05, 0xc3], 3)
        let before = session.statistics.unasked
        check(guest_enter(place, Number.getpid, 0, 0, 0, 0), Int(getpid()), "a library's call")
        check(nativeCall(Number.munmap, start, 0x1000), 0, "munmap")
        return session.statistics.unasked > before
      }
      for (index, start) in [0x2000_0000_0000, 0x3000_0000_0000, 0x4000_0000_0000, 0x5000_0000_0000].enumerated() {
        check(try trap(UInt64(start)), 2, "filters after clear region \(index)")
      }
      #expect(try trap(0x6_0000_0000) == 3)
      #expect(try !callsOfNewLibraryTrap())
      let size = 1 << 30
      let large = nativeCall(Number.mmap, 0, size, 0, Int(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE), -1, 0)
      check(nativeCall(Number.munmap, large, size), 0, "munmap")
      let lowest = UInt64(large + size)
      // What would lie there after a gigabyte of libraries, and what after 16 MiB.
      #expect(try trap(lowest - UInt64(size)) == 4)
      #expect(try !callsOfNewLibraryTrap())
      #expect(try trap(lowest - (16 << 20)) == 5)
      #expect(try callsOfNewLibraryTrap())
      // And no more filters from then on, whatever is chosen.
      for start in [lowest - (2 << 30), lowest - (1 << 20), lowest - 0x1000, 0x5_0000_0000] {
        check(try trap(start), 5, "filters after \(hex(start))")
      }
      check(Int(getppid()), nativeCall(Number.getppid), "libc's calls")
    }
  }
}
