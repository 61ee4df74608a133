import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing

/// `.automatic` picks by what the regions need and the kernel has, says why, and goes over when the need changes.
@Suite struct AutomaticMechanism {
  private static let hasInclusive = Mechanism.sudInclusive.unavailability() == nil

  @Test(.enabled(if: hasInclusive, "this kernel has no inclusive dispatch"))
  func `all regions in one block: dispatch, until one lies elsewhere`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("automatic")
      guest.log.answer(Number.getpid, .value, 4711)
      let (ready, done) = (Signpost(), Signpost())
      let older = TestThread {
        ready.open()
        done.wait()
        return guest.call(Number.getpid)
      }
      ready.wait()
      #expect(guest.session.choice == nil)
      try guest.activate(for: .allThreads)
      var choice = try #require(guest.session.choice)
      check(choice.mechanism, .sudInclusive, "the choice: \(choice.reason)")
      check(ProcessState().filters, 0, "filters")
      for _ in 0..<20 {
        let region = try guest.session.mapExecutable(GuestTemplate.getpid.code)
        check(call(region.range.start), 4711, "a later region's call")
      }
      let ground = try #require(Ground(at: 0x5_0000_0000, size: 0x1000))
      ground.place(at: ground.start)
      let range = try AddressRange(start: ground.start, end: ground.start + 0x800)
      check(try guest.session.plan { $0.trap(range) }.step, .changeMechanism, "the plan")
      check(ProcessState().filters, 0, "filters")
      try guest.session.trap(range)
      choice = try #require(guest.session.choice)
      check(choice.mechanism, .seccomp, "the choice: \(choice.reason)")
      #expect(ProcessState().filters >= 1)
      for region in guest.session.regions where region.range.length == 4096 {
        check(call(region.range.start) == 4711 || region == guest.region(.call), true, "\(region)")
      }
      check(guest_enter(ground.start, Number.getpid, 0, 0, 0, 0), 4711, "the new region's call")
      check(guest.log.raw.pointee.trap.cause, 1, "it was the filter that trapped")
      done.open()
      check(older.join(), 4711, "an older thread's call")
      check(guest.log.raw.pointee.trap.cause, 1, "it was the filter that trapped")
      check(TestThread { guest.call(Number.getpid) }.join(), 4711, "a new thread's call")
    }
  }

  @Test func `regions elsewhere, or a default that traps: a filter`() async {
    for traps in [false, true] {
      await #expect(processExitsWith: .success) { [traps = traps as Bool] in
        begin()
        let session = try Session(mechanism: .automatic, default: traps ? .trap : .allow)
        if !traps { try session.trap(AddressRange(start: 0x5_0000_0000, end: 0x5_0000_1000)) }
        let region = try session.mapExecutable(GuestTemplate.getpid.code)
        let log = HookLog()
        log.answer(Number.getpid, .value, 4711)
        try session.setHook(log.hook())
        try session.activate(for: .allThreads)
        let choice = try #require(session.choice)
        check(choice.mechanism, .seccomp, choice.reason)
        #expect(!choice.reason.isEmpty)
        check(call(region.range.start), 4711, "its call")
      }
    }
  }

  /// Kernels before 6.17.
  @Test func `no inclusive dispatch: a filter`() async {
    await #expect(processExitsWith: .success) {
      begin()
      nativeCall(Number.prctl, 38, 1)
      check(GuestFilter(refusing: Number.prctl, with: EINVAL, firstArgument: 59, second: 2).load(), 0, "the filter")
      let guest = try Guest("automatic")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate()
      let choice = try #require(guest.session.choice)
      check(choice.mechanism, .seccomp, choice.reason)
      #expect(choice.reason.contains("inclusive"), "\(choice.reason)")
      check(guest.call(Number.getpid), 4711, "its call")
    }
  }
}
