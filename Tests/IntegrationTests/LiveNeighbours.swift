import Cordon
import Glibc
import GuestCode
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Changes beside what others do in the same process: filters from outside and from inside, mappings that move, hooks.
@Suite struct LiveNeighbours {
  /// As in a container: a filter that was there first, in all threads, refuses calls, among them some that Cordon would
  /// like to make, and has used up a part of the kernel's budget.
  @Test(arguments: mechanisms + ["automatic"])
  func `changes inside a container's filter`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      nativeCall(Number.prctl, 38, 1)
      let inAllThreads = 1
      let refused: UInt32 = 0x0005_0000 | 77  // SECCOMP_RET_ERRNO
      check(GuestFilter([Number.getuid, Number.ioctl], refused).load(flags: inAllThreads), 0, "the container's filter")
      check(GuestFilter(allowingBy: 3000).load(flags: inAllThreads), 0, "a long one")
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      for _ in 0..<50 {
        let region = try guest.session.mapExecutable(GuestTemplate.getpid.code)
        check(call(region.range.start), 4711, "a call in the session's block")
        try guest.session.unmap(region)
      }
      let pages = try HighPages(40)
      for page in 0..<pages.count {
        let region = try pages.trap(page, in: guest.session)
        check(guest_enter(pages.start(page), Number.getpid, 0, 0, 0, 0), 4711, "the call on page \(page)")
        check(guest_enter(pages.neighbour(page), Number.getpid, 0, 0, 0, 0), Int(getpid()), "the one beside it")
        check(guest_enter(pages.start(page), Number.getuid, 0, 0, 0, 0), -77, "what the container refuses")
        try guest.session.remove(region)
        check(guest_enter(pages.start(page), Number.getpid, 0, 0, 0, 0), Int(getpid()), "the call, native again")
        check(nativeCall(Number.getuid), -77, "what the container refuses")
        // Native code is seen and kept out, up to the last filter, which traps everything.
        if mechanism == "seccomp", guest.session.statistics.filters <= 24 {
          let unasked = guest.session.statistics.unasked
          check(guest_enter(pages.neighbour(page), Number.getpid, 0, 0, 0, 0), Int(getpid()), "the one beside it")
          check(guest.session.statistics.unasked, unasked, "calls that are passed through, page \(page)")
        }
      }
      let thread = TestThread { guest.call(Number.getpid) + guest.call(Number.getuid) }
      check(thread.join(), 4711 - 77, "a new thread's calls")
      #expect(guest.session.statistics.filters <= 25)
    }
  }

  /// Going over from dispatch to a filter takes all threads, or none.
  @Test func `a thread with a filter of its own: dispatch stays`() async {
    guard Mechanism.sudInclusive.unavailability() == nil else { return }
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("automatic")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      check(guest.session.choice?.mechanism, .sudInclusive, "the mechanism")
      let other = FilteredThread { guest.call(Number.getpid) }
      let pages = try HighPages(1)
      let range = try AddressRange(start: pages.start(0), end: pages.neighbour(0))
      let regions = guest.session.regions
      #expect(throws: SessionError.threadNotSynchronized(other.id)) { try guest.session.trap(range) }
      check(guest.session.choice?.mechanism, .sudInclusive, "the mechanism")
      check(guest.session.regions, regions, "the regions")
      check(guest_enter(pages.start(0), Number.getpid, 0, 0, 0, 0), Int(getpid()), "the page's call")
      check(guest.call(Number.getpid), 4711, "the region's call")
      check(other.end(), 4711, "the region's call by that thread")
      try pages.trap(0, in: guest.session)
      check(guest.session.choice?.mechanism, .seccomp, "the mechanism, once that thread has ended")
      check(guest_enter(pages.start(0), Number.getpid, 0, 0, 0, 0), 4711, "the page's call")
    }
  }

  /// Code of the program's own moves a region's memory, and nobody tells the session: the region stays where it was.
  @Test(arguments: mechanisms)
  func `mremap by native code`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let pages = try HighPages(1)
      let old = pages.start(0), new = pages.ground.start + 0x100_0000
      var region = try pages.trap(0, in: guest.session)
      func call(_ address: UInt64) -> Int { guest_enter(address, Number.getpid, 0, 0, 0, 0) }
      check(call(old), 4711, "its call")
      for round in 1...10 {
        let (mremap, mayMove, fixed) = (25, 1, 2)
        check(nativeCall(mremap, Int(old), 0x1000, 0x1000, mayMove | fixed, Int(new)), Int(new), "mremap")
        let hooked = guest.log.hooked
        check(call(new), Int(getpid()), "the call where it lies now, round \(round)")
        check(guest.log.hooked, hooked, "calls that the hook saw")
        // Whatever comes to lie where the region is belongs to it.
        let other = try #require(Ground(at: old, size: 0x1000))
        other.place(at: old)
        check(call(old), 4711, "the call of other code at the old place")
        other.release()
        // The session is told, and told again when it moves back.
        let range = try AddressRange(start: new, end: new + 0x1000)
        let moved = try guest.session.change { change in
          change.remove(region)
          change.trap(range)
        }
        check(call(new), 4711, "the call of the region that was declared there")
        let back = try guest.session.change { change in
          for region in moved { change.remove(region) }
          change.trap(region.range)
        }
        check(call(new), Int(getpid()), "its call when it is no region any more")
        check(nativeCall(mremap, Int(new), 0x1000, 0x1000, mayMove | fixed, Int(old)), Int(old), "mremap, back")
        check(call(old), 4711, "its call where the region is")
        region = back[0]
      }
    }
  }

  /// A marked mapping is moved by the session while others trap beside it without pause; its pages change their protection
  /// as a JIT's do.
  @Test(arguments: mechanisms)
  func `marked memory moves and changes while threads trap`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .getpid)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let (session, stop) = (guest.session, Signpost())
      let others = session.regions.count
      let threads = (0..<4).map { _ in
        TestThread {
          var (calls, wrong) = (0, 0)
          repeat {
            if call(guest.address(.getpid)) != 4711 { wrong += 1 }
            calls += 1
          } while !stop.isOpen
          return wrong > 0 ? -wrong : calls
        }
      }
      let code = GuestTemplate.getpid.code
      for round in 0..<200 {
        var range = try session.map(4096, [.read, .write, .noSyscall])
        guest_write(range.start, code, code.count)
        try session.protect(range, [.read, .execute, .noSyscall])
        check(call(range.start), 4711, "marked, round \(round)")
        range = try session.remap(range, to: 3 * 4096)
        check(call(range.start), 4711, "marked, where it was moved to")
        try session.protect(range, [.read, .write])
        try session.protect(range, [.read, .execute])
        check(call(range.start), Int(getpid()), "unmarked")
        try session.protect(range, [.read, .write, .execute, .noSyscall])
        check(call(range.start), 4711, "marked again")
        try session.unmap(range)
      }
      stop.open()
      let calls = threads.map { $0.join() }
      #expect(calls.allSatisfy { $0 > 0 }, "wrong answers: \(calls)")
      check(session.regions.count, others, "regions")
    }
  }

  /// Each trap has its hook attach something: a filter, or a longer range in every thread.
  @Test(arguments: mechanisms)
  func `changes made inside hooks that attach something`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let outer = try session.mapExecutable(GuestTemplate.getpid.code)
      let pages = try HighPages(36)
      let next = Atomic<UInt64>(0)
      try session.setHook(
        TrapHook { trap in
          guard trap.region == outer else { return .value(4711) }
          let page = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard (try? pages.trap(page, in: session)) != nil else { return .error(.noMemory) }
          // The region that the hook has made holds for the hook itself.
          return .value(guest_enter(pages.start(page), Number.getpid, 0, 0, 0, 0) + Int(page))
        })
      try session.activate(for: .allThreads)
      // Three threads at once.
      let threads = (0..<3).map { _ in
        TestThread { (0..<12).reduce(0) { sum, _ in sum + call(outer.range.start) - 4711 } }
      }
      check(threads.reduce(0) { $0 + $1.join() }, (0..<36).reduce(0, +), "the pages, added up")
      for page in 0..<pages.count {
        check(guest_enter(pages.start(page), Number.getpid, 0, 0, 0, 0), 4711, "page \(page)")
        check(guest_enter(pages.neighbour(page), Number.getpid, 0, 0, 0, 0), Int(getpid()), "beside page \(page)")
      }
      check(session.regions.count, 37, "regions")
    }
  }
}
