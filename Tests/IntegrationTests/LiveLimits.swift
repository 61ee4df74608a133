import Cordon
import Glibc
import GuestCode
import SystemPackage
import Testing

/// Changes where filters cannot be added without end: at a session's own limit, at the kernel's, and where a thread has a
/// filter that others have not.
@Suite struct LiveLimits {
  /// The kernel's budget, and our own limit: the last filter traps everything, and all goes on.
  @Test func `changes without end where nothing can be widened`() async {
    await #expect(processExitsWith: .success) {
      begin(seconds: 120)
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      // Native code, one page after the other, becomes a region and native code again.
      let pages = 200
      let ground = try #require(Ground(at: 0x5_0000_0000, size: UInt64(pages) * 0x2000))
      for page in 0..<UInt64(pages) {
        let start = ground.start + page * 0x2000
        let range = try AddressRange(start: start, end: start + 0x1000)
        let region = try told { () throws(SessionError) in try guest.session.trap(range) }
        check(ground.call(at: start), 4711, "page \(page)")
        check(ground.call(at: start + 0x1000), Int(getpid()), "the page after it")
        try guest.session.remove(region)
        check(ground.call(at: start), Int(getpid()), "page \(page), native again")
      }
      let statistics = guest.session.statistics
      #expect(statistics.filters <= 25, "\(statistics.filters) filters")
      #expect(statistics.nanosecondsPerCall > 1000, "everything is passed through")
      for _ in 0..<100 { check(Int(getppid()), nativeCall(Number.getppid), "libc's calls, passed through") }
      let thread = TestThread { guest.call(Number.getpid) }
      check(thread.join(), 4711, "a new thread's call")
    }
  }

  @Test func `no room for another filter: the session is as it was`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate()
      nativeCall(Number.prctl, 38, 1)
      fillUp()
      let ground = try #require(Ground(at: 0x5_0000_0000, size: 0x1000))
      let range = try AddressRange(start: ground.start, end: ground.start + 0x1000)
      let before = ProcessState()
      let regions = guest.session.regions
      #expect(throws: SessionError.filterRefused(.noMemory)) { try guest.session.trap(range) }
      check(guest.session.regions, regions, "the regions")
      check(ProcessState(), before, "the process")
      check(ground.call(at: ground.start), Int(getpid()), "its call")
      let region = try guest.session.mapExecutable(GuestTemplate.getpid.code)
      check(call(region.range.start), 4711, "what needs no filter can still be had")
    }
  }

  /// With room for a small one only, that is taken: everything traps, and the handler decides.
  @Test func `little room for another filter`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate()
      nativeCall(Number.prctl, 38, 1)
      fillUp(leaving: 40)
      let ground = try #require(Ground(at: 0x5_0000_0000, size: 0x20_0000))
      try guest.session.change { change in
        for page in 0..<UInt64(100) {
          if let range = try? AddressRange(start: ground.start + page * 0x2000, end: ground.start + page * 0x2000 + 64)
          {
            change.trap(range)
          }
        }
      }
      check(ground.call(at: ground.start), 4711, "its call")
      check(ground.call(at: ground.start + 64), Int(getpid()), "the call beside it")
      check(Int(getppid()), nativeCall(Number.getppid), "libc's calls")
      #expect(guest.session.statistics.nanosecondsPerCall > 1000)
    }
  }

  /// Others' filters have used up nearly all of the kernel's budget. Before ours have used up the rest, the last one is
  /// attached: no change is ever refused.
  @Test(arguments: [70, 150, 250, 350])
  func `changes up to the kernel's limit and past it`(_ left: Int) async {
    await #expect(processExitsWith: .success) { [left = left as Int] in
      begin(seconds: 120)
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate()
      nativeCall(Number.prctl, 38, 1)
      fillUp(leaving: left)
      let pages = try HighPages(60)
      for page in 0..<pages.count {
        try pages.trap(page, in: guest.session)
        check(guest_enter(pages.start(page), Number.getpid, 0, 0, 0, 0), 4711, "the call on page \(page)")
        check(guest_enter(pages.neighbour(page), Number.getpid, 0, 0, 0, 0), Int(getpid()), "the one beside it")
      }
      let statistics = guest.session.statistics
      #expect(statistics.filters < 25, "\(statistics.filters) filters")
      #expect(statistics.nanosecondsPerCall > 1000, "everything is passed through")
      check(ProcessState().filters > statistics.filters, true, "filters of others")
    }
  }

  @Test func `a thread with a filter of its own: the change is refused`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let other = FilteredThread()
      let ground = try #require(Ground(at: 0x5_0000_0000, size: 0x1000))
      let range = try AddressRange(start: ground.start, end: ground.start + 0x1000)
      let regions = guest.session.regions
      #expect(throws: SessionError.threadNotSynchronized(other.id)) { try guest.session.trap(range) }
      check(guest.session.regions, regions, "the regions")
      check(ground.call(at: ground.start), Int(getpid()), "its call")
      check(other.end(), 0, "the thread's filter")
      try guest.session.trap(range)
      check(ground.call(at: ground.start), 4711, "its call, once that thread has ended")
    }
  }
}

/// Loads filters until the kernel has no room for another one, however small; or leaves it for so many instructions.
private func fillUp(leaving room: Int = 0) {
  var size = 4096
  while size > 0 {
    // A thread's filters are its own, so it can be tried there.
    let probe = TestThread { [size] in
      let result = GuestFilter(allowingBy: size).load()
      return result == 0 && room > 0 ? GuestFilter(allowingBy: room).load() : result
    }
    if probe.join() == 0 { check(GuestFilter(allowingBy: size).load(), 0, "a filter") } else { size /= 2 }
  }
}
