import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing

/// Changes where filters cannot be added without end: at a session's own limit, at the kernel's, and where a thread has a
/// filter that others have not.
@Suite struct LiveLimits {
  /// The kernel's budget, and our own limit: the last filter traps everything, and all goes on.
  @Test func `changes without end where nothing can be widened`() async {
    await #expect(processExitsWith: .success) {
      begin()
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
      let guest = try activeGuest(leaving: 0)
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
      let guest = try activeGuest(leaving: 40)
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
      begin()
      let guest = try activeGuest(leaving: left)
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

  /// A map of 1,500 stretches takes two filters, of which the kernel has room for the first one only: not even for the short
  /// one that traps everything in place of the second. The first one stays; what it traps is passed, and is known from then
  /// on.
  @Test func `one of several filters is refused`() async {
    await #expect(processExitsWith: .success) {
      begin()
      // The least room that the first one and the short one have.
      var (small, large) = (0, 4_096)
      while large - small > 1 {
        let room = (small + large) / 2
        let status = inChild { _exit(try Several().attach(leaving: room) > 2 ? 0 : 2) }
        if status == 0 { large = room } else { small = room }
      }
      check(inChild { try Several().check(leaving: small) }, 0, "how the child ended")
    }
  }

  @Test func `several filters at activation, and no room for all of them`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      nativeCall(Number.prctl, 38, 1)
      fillUp(leaving: 4_000)
      _ = try trapHalfPages(1_500, in: guest.session)
      expectRefusal(.filterRefused(.noMemory), of: guest.session, for: .allThreads)
      check(guest.call(Number.getpid), Int(getpid()), "the region's call")
    }
  }

  /// A thread attaches one of its own between them. Those before it stay, and what they trap is passed.
  @Test func `several filters at activation, of which a later one is refused`() async {
    await #expect(processExitsWith: .success) {
      begin()
      var status: Int32 = 0
      // 0: the thread was not quick enough.
      for _ in 0..<100 where status == 0 {
        status = inChild {
          let guest = try Guest("seccomp")
          let ground = try trapHalfPages(6_000, in: guest.session)
          let quick = IdentifiedThread {
            nativeCall(Number.prctl, 38, 1)  // PR_SET_NO_NEW_PRIVS
            while nativeCall(Number.prctl, 21) == 0 {}  // PR_GET_SECCOMP
            _ = GuestFilter(allowingBy: 1).load()
            while true { pause() }
          }
          do throws(SessionError) {
            try guest.session.activate(for: .allThreads)
            _exit(0)
          } catch {
            guard error == .threadNotSynchronized(quick.id), !guest.session.isActive else { _exit(2) }
          }
          guard ProcessState().filters > 0, ProcessState().isInstalled else { _exit(3) }
          for start in [ground.start, ground.start + ground.size - 0x1000] {
            guard ground.call(at: start) == Int(getpid()) else { _exit(4) }
          }
          _exit(77)
        }
      }
      check(status, 77 << 8, "how the child ended")
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

/// A session in which everything traps but a block of code, half of each page of which is to trap as well.
private struct Several {
  let guest: Guest
  let ground: Ground
  let block: Region
  private let pages: UInt64 = 1_500

  init() throws {
    guest = try Guest("seccomp", default: .trap)
    ground = try #require(Ground(at: 0x2000_0000_0000, size: pages * 0x1000))
    block = try guest.session.allow(AddressRange(start: ground.start, end: ground.start + ground.size))
    try guest.session.activate()
    nativeCall(Number.prctl, 38, 1)
  }

  /// Makes the change; how many filters the session says that it has then.
  func attach(leaving room: Int) throws -> Int {
    fillUp(leaving: room)
    do throws(SessionError) {
      try guest.session.change { change in
        change.remove(block)
        for page in 0..<pages {
          let start = ground.start + page * 0x1000 + 0x800
          if let range = try? AddressRange(start: start, end: start + 0x800) { change.allow(range) }
        }
      }
    } catch { guard error == .filterRefused(.noMemory) else { throw error } }
    return guest.session.statistics.filters
  }

  /// Makes it where the first filter has room and no other one, and leaves by _exit where something is not as it should be.
  func check(leaving room: Int) throws {
    let regions = guest.session.regions
    guard try attach(leaving: room) == 2 else { _exit(2) }
    guard guest.session.regions == regions else { _exit(3) }
    guard ground.call(at: ground.start) == Int(getpid()) else { _exit(4) }
    // What the first filter traps needs no other one.
    let first = try AddressRange(start: ground.start + 0x800, end: ground.start + ground.size)
    let plan = try guest.session.plan { change in
      change.remove(block)
      change.allow(first)
    }
    guard plan.filters == 0 else { _exit(5) }
  }
}

/// Makes regions of which no 1,500 fit into one filter: half of each page, with code between them that none can take in.
private func trapHalfPages(_ pages: UInt64, in session: Session) throws -> Ground {
  let ground = try #require(Ground(at: 0x2000_0000_0000, size: pages * 0x1000))
  try session.change { change in
    for page in 0..<pages {
      let start = ground.start + page * 0x1000
      if let range = try? AddressRange(start: start, end: start + 0x800) { change.trap(range) }
    }
  }
  return ground
}

/// An active session behind whose filter others' have left room for so many instructions.
private func activeGuest(leaving room: Int) throws -> Guest {
  let guest = try Guest("seccomp")
  guest.log.answer(Number.getpid, .value, 4711)
  try guest.activate()
  nativeCall(Number.prctl, 38, 1)  // PR_SET_NO_NEW_PRIVS
  fillUp(leaving: room)
  return guest
}

/// Loads filters until the kernel has no room for another one, however small; or leaves it for so many instructions.
private func fillUp(leaving room: Int) {
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
