import Cordon
import Glibc
import GuestCode
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// What the kernel, or a filter that plays an older one, refuses.
@Suite struct KernelRefusals {
  /// EACCES: without privileges a filter needs no_new_privs, which the session may set only if it is let.
  @Test func `a filter without privileges and without no_new_privs`() async {
    await #expect(processExitsWith: .success) {
      begin()
      becomeOrdinary()
      let never = try Session(noNewPrivileges: .never)
      let region = try never.mapExecutable(GuestTemplate.getpid.code)
      let log = HookLog()
      log.answer(Number.getpid, .value, 4711)
      try never.setHook(log.hook())
      for scope in [Session.Scope.callingThread, .allThreads] {
        expectRefusal(.filterRefused(.permissionDenied), of: never, for: scope)
      }
      check(call(region.range.start), Int(getpid()), "the region's call, untrapped")
      // With the bit set by someone else, the same session goes.
      check(nativeCall(Number.prctl, 38, 1), 0, "no_new_privs")
      try never.activate()
      check(call(region.range.start), 4711, "the region's call")
    }
  }

  @Test func `no_new_privs is set where it is needed, or asked for`() async {
    await #expect(processExitsWith: .success) {
      begin()
      becomeOrdinary()
      let guest = try Guest("seccomp")
      let before = ProcessState()
      #expect(!before.noNewPrivileges)
      try guest.activate(for: .callingThread)
      let after = ProcessState()
      #expect(after.noNewPrivileges)
      check(after.filters, before.filters + 1, "filters")
      check(guest.call(Number.getpid), Int(getpid()), "the region's call")
    }
    guard geteuid() == 0 else { return }
    for (setting, wanted) in [(0, false), (1, true)] {
      await #expect(processExitsWith: .success) { [setting = setting as Int, wanted = wanted as Bool] in
        begin()
        let session = try Session(noNewPrivileges: setting == 1 ? .always : .whenNeeded)
        _ = try session.mapExecutable(GuestTemplate.getpid.code)
        try session.setHook(HookLog().hook())
        try session.activate()
        check(ProcessState().noNewPrivileges, wanted, "no_new_privs of a privileged process")
      }
    }
  }

  /// ENOMEM: all filters of a thread together have 32,768 instructions. The last room is taken by small ones.
  @Test(arguments: [false, true])
  func `no room for another filter`(_ allThreads: Bool) async {
    await #expect(processExitsWith: .success) { [allThreads = allThreads as Bool] in
      begin()
      let guest = try Guest("seccomp")
      nativeCall(Number.prctl, 38, 1)
      fillUp()
      expectRefusal(.filterRefused(.noMemory), of: guest.session, for: allThreads ? .allThreads : .callingThread)
      check(guest.call(Number.getpid), Int(getpid()), "the region's call, untrapped")
      check(guest.log.hooked, 0, "trapped calls")
    }
  }

  /// Ordinary users need no_new_privs, but not for a filter that will not be taken anyway.
  @Test(.enabled(if: geteuid() == 0, "only the superuser can load filters without no_new_privs"))
  func `no room for another filter, and no privileges`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      fillUp()
      becomeOrdinary()
      for scope in [Session.Scope.callingThread, .allThreads] {
        expectRefusal(.filterRefused(.noMemory), of: guest.session, for: scope)
      }
      #expect(!ProcessState().anyNoNewPrivileges)
    }
  }

  /// A thread with a filter of its own cannot share ours. Ordinary users need no_new_privs on top.
  @Test(arguments: [false, true])
  func `a thread that cannot be synchronised`(_ ordinary: Bool) async {
    if !ordinary && geteuid() != 0 { return }
    await #expect(processExitsWith: .success) { [ordinary = ordinary as Bool] in
      begin()
      if ordinary { becomeOrdinary() }
      let guest = try Guest("seccomp")
      let other = FilteredThread()
      expectRefusal(.threadNotSynchronized(other.id), of: guest.session, for: .allThreads)
      check(guest.call(Number.getpid), Int(getpid()), "the region's call, untrapped")
      check(guest.log.hooked, 0, "trapped calls")
      check(other.end(), 0, "the other thread's filter")
      try guest.activate(for: .allThreads)
      check(guest.call(Number.getpid), Int(getpid()), "the region's call, when that thread has ended")
      check(guest.log.hooked, 1, "trapped calls")
    }
  }

  /// Kernels that lack seccomp filters, and containers that forbid them.
  @Test(arguments: [ENOSYS, EINVAL, EPERM])
  func `a kernel without seccomp`(_ answer: Int32) async {
    await #expect(processExitsWith: .success) { [answer = answer as Int32] in
      begin()
      nativeCall(Number.prctl, 38, 1)
      check(GuestFilter(refusing: Number.seccomp, with: answer).load(), 0, "the filter")
      let before = ProcessState()
      do throws(SessionError) {
        _ = try Session()
        Issue.record("opened")
      } catch {
        guard case .unavailable(.seccomp, reason: let reason) = error else { throw error }
        check(reason.contains("filter around"), answer == EPERM, "blaming a filter: \(reason)")
        #expect(error.remedy?.contains("3.5") == true)
      }
      check(ProcessState(), before, "the process")
      #expect(Mechanism.seccomp.unavailability() != nil)
      // What the kernel has instead can be used.
      for name in mechanisms.prefix(1) where name != "seccomp" {
        let guest = try Guest(name)
        try guest.activate()
        check(guest.call(Number.getpid), Int(getpid()), "the region's call")
        check(guest.log.hooked, 1, "trapped calls")
      }
    }
  }

  /// Kernels before 5.11 have no dispatch, those before 6.17 no inclusive one.
  @Test(arguments: [ENOSYS, EINVAL, EPERM], [false, true])
  func `a kernel without syscall user dispatch`(_ answer: Int32, onlyInclusive: Bool) async {
    await #expect(processExitsWith: .success) { [answer = answer as Int32, onlyInclusive = onlyInclusive as Bool] in
      begin()
      nativeCall(Number.prctl, 38, 1)
      let filter = GuestFilter(refusing: Number.prctl, with: answer, firstArgument: 59, second: onlyInclusive ? 2 : nil)
      check(filter.load(), 0, "the filter")
      for mechanism in Mechanism.allCases where mechanism != .seccomp {
        let lacks = mechanism == .sudInclusive || !onlyInclusive
        let before = ProcessState()
        do throws(SessionError) {
          _ = try Session(mechanism: mechanism)
          #expect(!lacks, "\(mechanism) was opened")
        } catch {
          guard case .unavailable(mechanism, reason: let reason) = error else { throw error }
          #expect(lacks, "\(mechanism) is missing: \(reason)")
          check(reason.contains("filter around"), answer == EPERM, "blaming a filter: \(reason)")
          #expect(error.remedy?.contains(mechanism.sinceKernel) == true)
        }
        check(ProcessState(), before, "the process")
      }
      let guest = try Guest("seccomp")
      try guest.activate()
      check(guest.call(Number.getpid), Int(getpid()), "the region's call, under seccomp")
      check(guest.log.hooked, 1, "trapped calls")
    }
  }

  /// Dispatch is armed by each thread itself. One that waits for its vfork child cannot, and the others must not be left
  /// armed without a handler. When it gets to answering, nobody wants to know any more.
  @Test(arguments: mechanisms.filter { $0 != "seccomp" })
  func `a thread that does not answer`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      var own = sigaction()
      own.__sigaction_handler.sa_handler = unsafeBitCast(UInt(guest_plain_signal_handler()), to: sig_t.self)
      sigaction(SIGSYS, &own, nil)
      // Threads on both sides of the one that does not answer.
      let (refused, activated) = (Signpost(), Signpost())
      let called = Mutex(0)
      let work: @Sendable () -> [Int] = {
        refused.wait()
        let first = guest.call(Number.getpid)
        called.withLock { $0 += 1 }
        activated.wait()
        return [first, guest.call(Number.getpid)]
      }
      let older = TestThread { work() == [Int(getpid()), 4711] ? 1 : 0 }
      nonisolated(unsafe) let id = sharedMemory(of: Int32.self)
      nonisolated(unsafe) let until = sharedMemory(of: Int32.self)
      let stuck = TestThread {
        id.pointee = gettid()
        let result = guest_wait_in_vfork(until)
        return result == 0 && work() == [Int(getpid()), 4711] ? 1 : 0
      }
      while id.pointee == 0 { usleep(1000) }
      waitUntilBlocked(id.pointee, in: Number.vfork)
      let newer = TestThread { work() == [Int(getpid()), 4711] ? 1 : 0 }

      do throws(SessionError) {
        try guest.session.activate(for: .allThreads)
        Issue.record("activated")
      } catch { check(error, .threadNotArmed(id.pointee, .timedOut), "the error") }
      #expect(!guest.session.isActive)
      #expect(!ProcessState().isInstalled)
      check(guest.call(Number.getpid), Int(getpid()), "the region's call, untrapped")
      pthread_kill(pthread_self(), SIGSYS)
      check(delivery(SIGSYS).count, 1, "deliveries to the program's own handler")
      refused.open()
      until.pointee = 1
      while called.withLock({ $0 }) < 3 { usleep(1000) }
      // Now that all can answer, the same session can be activated.
      try guest.activate(for: .allThreads)
      check(guest.call(Number.getpid), 4711, "the region's call, trapped")
      activated.open()
      check([older.join(), stuck.join(), newer.join()], [1, 1, 1], "the calls of the other threads, before and after")
      check(guest.log.hooked, 4, "trapped calls")
      guest.raise(SIGSYS)
      check(delivery(SIGSYS).count, 2, "deliveries to the program's own handler")
    }
  }
}

/// Loads filters until the kernel has no room for another one, however small.
private func fillUp() {
  var size = 4096
  while size > 0 {
    let result = GuestFilter(allowingBy: size).load()
    if result == -Int(ENOMEM) { size /= 2 } else { check(result, 0, "a filter of \(size) instructions") }
  }
}
