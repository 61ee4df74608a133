import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing

/// What cannot be activated is refused with an error of its own, before anything irreversible has happened; and once
/// the reason is gone the same session can be activated.
@Suite struct Refusals {
  @Test(arguments: mechanisms)
  func `no hook, and nothing that traps`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      expectRefusal(.missingHook, of: session)
      let log = HookLog()
      log.answer(Number.getpid, .value, 4711)
      try session.setHook(log.hook())
      expectRefusal(.nothingTraps, of: session)
      try session.allow(AddressRange(start: 0x1000, end: 0x2000))
      expectRefusal(.nothingTraps, of: session, for: .allThreads)
      let region = try session.mapExecutable(GuestTemplate.getpid.code)
      try session.activate()
      check(call(region.range.start), 4711, "the same session, with a region")
    }
  }

  @Test(arguments: mechanisms, mechanisms)
  func `a second time, and a second session`(_ first: String, _ second: String) async {
    await #expect(processExitsWith: .success) { [first = first as String, second = second as String] in
      begin()
      let guest = try Guest(first)
      let other = try Guest(second)
      try guest.activate()
      let state = ProcessState()
      do throws(SessionError) {
        try guest.session.activate(for: .allThreads)
        Issue.record("activated twice")
      } catch { check(error, .alreadyActivated, "the error") }
      #expect(guest.session.isActive)
      #expect(throws: SessionError.alreadyActivated) { try guest.session.setHook(guest.log.hook()) }
      expectRefusal(.anotherSessionActive, of: other.session)
      // A third one can be opened all the same.
      let third = try Guest(second)
      expectRefusal(.anotherSessionActive, of: third.session, for: .allThreads)
      check(ProcessState(), state, "the process")
      for round in 1...3 {
        check(guest.call(Number.getpid), Int(getpid()), "the first session's call")
        check(guest.log.hooked, round, "its trapped calls")
      }
      check(other.call(Number.getpid), Int(getpid()), "the other's call")
      check(other.log.hooked, 0, "its trapped calls")
    }
  }

  @Test(arguments: mechanisms)
  func `SIGSYS blocked`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      var mask = sigset_t()
      sigaddset(&mask, SIGSYS)
      pthread_sigmask(SIG_BLOCK, &mask, nil)
      expectRefusal(.signalBlocked(threads: [gettid()]), of: guest.session)
      expectRefusal(.signalBlocked(threads: [gettid()]), of: guest.session, for: .allThreads)
      let ready = Signpost()
      let done = Signpost()
      let id = sharedMemory(of: Int32.self)
      nonisolated(unsafe) let place = id
      // It inherits the mask.
      let blocker = TestThread {
        place.pointee = gettid()
        ready.open()
        done.wait()
        return 0
      }
      pthread_sigmask(SIG_UNBLOCK, &mask, nil)
      ready.wait()
      expectRefusal(.signalBlocked(threads: [id.pointee]), of: guest.session, for: .allThreads)
      // Another thread's mask is its own business where only this one is armed.
      try guest.activate(for: .callingThread)
      check(guest.call(Number.getpid), Int(getpid()), "the same session, for this thread")
      check(guest.log.hooked, 1, "trapped calls")
      done.open()
      blocker.join()
    }
  }

  @Test func `regions that cannot be`() async {
    await #expect(processExitsWith: .success) {
      begin()
      #expect(throws: RegionError.emptyRange(at: 0x1000)) { try AddressRange(start: 0x1000, end: 0x1000) }
      #expect(throws: RegionError.reversedRange(start: 0x2000, end: 0x1000)) {
        try AddressRange(start: 0x2000, end: 0x1000)
      }
      let guest = try Guest("seccomp")
      let end: UInt64 = 1 << 47
      let session = guest.session
      let own = guest.region(.call).range
      let refused: [(Bool, UInt64, UInt64)] = [
        (true, end - 2, end + 1), (true, end, end + 2), (true, 0xffff_ffff_ff60_0000, 0xffff_ffff_ff60_1000),
        (true, 0x1000, .max), (true, 0x1000, 0x1001), (false, end - 2, end + 1), (false, own.start, own.end),
        (false, own.end - 1, own.end + 1), (false, own.start - 1, own.start + 1),
      ]
      for (traps, start, end) in refused {
        let range = try AddressRange(start: start, end: end)
        do throws(SessionError) {
          _ = traps ? try session.trap(range) : try session.allow(range)
          Issue.record("\(range) was taken")
        } catch {
          guard case .region(let reason) = error else { throw error }
          #expect("\(error)".contains(hex(start)), "the message says where: \(reason)")
        }
        check(session.regions.count, 1, "regions")
      }
      // Just as far as user space goes; touching, and the same twice.
      try session.trap(AddressRange(start: end - 2, end: end))
      try session.allow(AddressRange(start: own.end, end: own.end + 2))
      try session.trap(own)
      try session.activate()
      check(guest.call(Number.getpid), Int(getpid()), "the same session")
      check(guest.log.hooked, 1, "trapped calls")
    }
  }

  /// One range cannot hold all but the gate.
  @Test func `what inclusive dispatch cannot express`() async {
    guard mechanisms.contains("sud-inclusive") else { return }
    await #expect(processExitsWith: .success) {
      begin()
      let trapping = try Guest("sud-inclusive", default: .trap)
      let around = try Guest("sud-inclusive")
      try around.session.trap(AddressRange(start: 0x7fff_ffff_e000, end: 0x7fff_ffff_f000))
      for session in [trapping.session, around.session] {
        let before = ProcessState()
        do throws(SessionError) {
          try session.activate(for: .allThreads)
          Issue.record("activated")
        } catch {
          guard case .inexpressible(.sudInclusive, reason: _) = error else { throw error }
          #expect(error.remedy?.contains("seccomp") == true)
        }
        check(ProcessState(), before, "the process")
        #expect(!session.isActive)
      }
    }
  }

  @Test func `executable memory that is not to be had`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      let session = try Session()
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
      setrlimit(__rlimit_resource_t(9), &limit)  // RLIMIT_AS
      #expect(throws: SessionError.memory(.noMemory)) { try session.mapExecutable([0x0f, 0x05]) }
      #expect(throws: SessionError.memory(.noMemory)) { _ = try Session() }
      check(session.regions.count, 0, "regions")
      _ = guest
    }
  }
}
