import Cordon
import Glibc
import GuestCode
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Regions that come, change and go while a session is active.
@Suite struct LiveRegions {
  @Test(arguments: mechanisms)
  func `a region in the session's own block comes and goes, and needs nothing attached`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let filters = guest.session.statistics.filters
      for round in 1...50 {
        let region = try guest.session.mapExecutable(GuestTemplate.getpid.code)
        check(call(region.range.start), 4711, "its call, round \(round)")
        check(Int(guest.log.raw.pointee.trap.region), region.index, "the region")
        try guest.session.set(.error(.permissionDenied), of: region)
        check(call(region.range.start), -Int(EACCES), "its call as an error")
        try guest.session.set(.allow, of: region)
        check(call(region.range.start), Int(getpid()), "its call, allowed")
        try guest.session.remove(region)
        check(call(region.range.start), Int(getpid()), "its call, removed")
        check(guest.log.hooked, round, "calls that the hook saw")
        #expect(throws: SessionError.noSuchRegion(region.range)) { try guest.session.remove(region) }
        // Memory that a region has been in is the session's to unmap, by a region that is there.
        try guest.session.unmap(guest.session.trap(region.range))
      }
      let statistics = guest.session.statistics
      check(statistics.filters, filters, "filters")
      check(statistics.regions, 1, "regions")
      check(statistics.changes, 50 * 6, "changes")
      check(statistics.refused, 50, "calls that were refused")
      check(statistics.staleRanges, 0, "stale ranges")
    }
  }

  /// Addresses that others have chosen, all over the address space. Native code must stay out of pass-through.
  @Test(arguments: [false, true])
  func `1,000 scattered regions take four filters at most`(_ everywhere: Bool) async {
    await #expect(processExitsWith: .success) { [everywhere = everywhere as Bool] in
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      var random = SeededGenerator(seed: everywhere ? 1 : 2)
      var live: [(Region, Ground)] = []
      var made = 0
      while made < 1000 {
        let place =
          UInt64.random(
            in: everywhere ? 0x2_0000...0x7fff_0000_0000 : 0x3000_0000_0000...0x5300_0000_0000, using: &random) & ~0xfff
        guard let ground = Ground(at: place, size: 0x1000) else { continue }
        made += 1
        let range = try AddressRange(start: place + 0x100, end: place + 0x200)
        let region = try guest.session.trap(range)
        check(ground.call(at: place + 0x100), 4711, "at its start, \(hex(place)), change \(made)")
        check(ground.call(at: place + 0x1fe), 4711, "at its end")
        check(ground.call(at: place + 0x1ff), Int(getpid()), "across its end")
        check(ground.call(at: place + 0x400), Int(getpid()), "beside it")
        live.append((region, ground))
        if live.count > 100 {
          let (old, ground) = live.remove(at: Int.random(in: 0..<live.count, using: &random))
          try guest.session.remove(old)
          check(ground.call(at: old.range.start), Int(getpid()), "a removed one")
          ground.release()
        }
      }
      let statistics = guest.session.statistics
      #expect(statistics.filters <= (everywhere ? 4 : 2), "\(statistics.filters) filters")
      check(ProcessState().filters, statistics.filters, "filters that the kernel has")
      check(statistics.endangersPrograms, everywhere, "whether programs executed later are in danger")
      #expect(statistics.staleRanges > 0)
      let before = guest.session.statistics.traps
      for _ in 0..<100 { _ = getppid() }
      check(guest.session.statistics.traps, before, "libc's calls do not trap")
    }
  }

  /// What a plan says is what is done; and a plan does nothing.
  @Test func `plans`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      try guest.activate(for: .allThreads)
      let session = guest.session
      let before = session.regions
      let arena = guest.region(.call).range
      func range(_ start: UInt64) throws -> AddressRange { try AddressRange(start: start, end: start + 0x1000) }
      let wanted: [(Plan.Step, AddressRange, Int)] = [
        (.place, try range(arena.end + 0x10000), 0), (.widen, try range(0x4000_0000_0000), 1),
        (.place, try range(0x6000_0000_0000), 0), (.add, try range(0x1_0000_0000), 1),
        (.widen, try range(0x2_0000_0000), 1), (.place, try range(0x3_0000_0000), 0),
      ]
      for (step, range, filters) in wanted {
        let attached = session.statistics.filters
        let plan = try session.plan { $0.trap(range) }
        check(plan.step, step, "\(range): \(plan)")
        check(plan.filters, filters, "filters of \(plan)")
        check(session.statistics.filters, attached, "filters before")
        #expect((plan.nanosecondsAfter > plan.nanosecondsBefore) == (filters > 0))
        #expect(plan.nativeCodeCaught.isEmpty)
        try session.trap(range)
        check(session.statistics.filters, attached + filters, "filters after \(plan)")
        check(session.statistics.nanosecondsPerCall, plan.nanosecondsAfter, "the price")
        check(session.statistics.endangersPrograms, plan.endangersPrograms, "the danger")
      }
      check(session.regions.count, before.count + wanted.count, "regions")
    }
  }

  @Test(arguments: mechanisms)
  func `changes that cannot be leave the session as it was`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let session = guest.session
      let own = guest.region(.call)
      let (regions, generation) = (session.regions, session.statistics.changes)
      let fresh = try AddressRange(start: own.range.end + 0x10000, end: own.range.end + 0x11000)
      let end: UInt64 = 1 << 47
      let changes: [(inout SessionChange) -> Void] = [
        { $0.allow(own.range) },
        {
          $0.trap(fresh); $0.allow(fresh)
        },
        { change in
          change.remove(own)
          change.trap(fresh)
          change.remove(own)
        },
        { change in
          change.set(.allow, of: own)
          change.trap(own.range)
        },
        { if let range = try? AddressRange(start: end - 2, end: end + 2) { $0.trap(range) } },
        { if let range = try? AddressRange(start: 0x10_0000, end: 0x10_0001) { $0.trap(range) } },
      ]
      for change in changes {
        #expect(throws: SessionError.self) { try session.plan(change) }
        #expect(throws: SessionError.self) { try session.change(change) }
        check(session.regions, regions, "the regions")
        check(session.statistics.changes, generation, "changes")
        check(guest.call(Number.getpid), 4711, "a call")
      }
      // And one of many parts that can be.
      let new = try session.change { change in
        change.remove(own)
        change.declare(own.range, .error(.noFunction))
        change.trap(fresh)
      }
      check(new.map(\.range), [own.range, fresh], "the new regions")
      check(guest.call(Number.getpid), -Int(ENOSYS), "a call")
      check(session.statistics.changes, generation + 1, "changes")
    }
  }

  /// An unmapped region's address is used by unrelated code.
  @Test(arguments: mechanisms)
  func `other code at a removed region's address`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      let first = try #require(Ground(at: 0x5_0000_0000, size: 0x1000))
      let region = try guest.session.trap(AddressRange(start: first.start, end: first.start + 0x1000))
      try guest.activate(for: .allThreads)
      check(first.call(at: first.start), 4711, "its call")
      try guest.session.remove(region)
      first.release()
      let second = try #require(Ground(at: 0x5_0000_0000, size: 0x1000))
      let before = guest.session.statistics.unasked
      check(second.call(at: second.start), Int(getpid()), "the call of other code")
      if mechanism == "seccomp" {
        check(guest.session.statistics.unasked, before + 1, "calls that were passed through unasked")
        check(guest.session.statistics.staleRanges, 1, "stale ranges")
      }
      try guest.session.trap(region.range)
      check(second.call(at: second.start), 4711, "its call as a region")
      check(guest.session.statistics.staleRanges, 0, "stale ranges")
    }
  }

  /// The hook changes the session that it is the hook of.
  @Test(arguments: mechanisms)
  func `a change made inside a hook`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let outer = try session.mapExecutable(GuestTemplate.getpid.code)
      let made = Mutex<Region?>(nil)
      try session.setHook(
        TrapHook { trap in
          if trap.region == outer {
            guard let region = try? session.mapExecutable(GuestTemplate.getpid.code) else { return .error(.noMemory) }
            let before = made.withLock { made in
              defer { made = region }
              return made
            }
            if let before, (try? session.unmap(before)) == nil { return .error(.invalidArgument) }
            return .value(call(region.range.start) + 1)
          }
          return .value(Int(trap.generation))
        })
      try session.activate(for: .allThreads)
      for round in 0..<100 {
        let changes = call(outer.range.start) - 1
        #expect(changes > round, "the call was judged by a map that is newer: \(changes)")
      }
      check(session.regions.count, 2, "regions")
    }
  }

  /// Everything traps, malloc's calls too: a change that traps in the middle tells its hook so.
  @Test func `a hook that interrupts a change of its own thread`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let session = try Session(default: .trap)
      let log = HookLog()
      try session.setHook(log.hook())
      try told { () throws(SessionError) in try session.activate() }
      for index in 0..<200 {
        let start = 0x5_0000_0000 + UInt64(index) * 0x10000
        let range = try AddressRange(start: start, end: start + 0x1000)
        let region = try told { () throws(SessionError) in try session.allow(range) }
        if index.isMultiple(of: 2) { try session.remove(region) }
      }
      check(session.regions.count, 100, "regions")
    }
  }

  @Test func `a session for one thread: what that thread may change, and others not`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .callingThread)
      let ground = try #require(Ground(at: 0x5_0000_0000, size: 0x2000))
      let ranges = [
        try AddressRange(start: ground.start, end: ground.start + 0x800),
        try AddressRange(start: ground.start + 0x1000, end: ground.start + 0x1800),
      ]
      let session = guest.session
      try session.trap(ranges[0])
      check(ground.call(at: ground.start), 4711, "its call")
      let (ready, done) = (Signpost(), Signpost())
      let inheritor = TestThread {
        ready.open()
        done.wait()
        return 0
      }
      ready.wait()
      #expect(throws: SessionError.onlyByItsThread(gettid())) { try session.trap(ranges[1]) }
      check(ground.call(at: ground.start + 0x1000), Int(getpid()), "its call")
      // What needs no filter anybody may do.
      let other = TestThread { (try? session.mapExecutable(GuestTemplate.getpid.code)) == nil ? 1 : 0 }
      check(other.join(), 0, "by another thread")
      done.open()
      inheritor.join()
    }
  }
}
