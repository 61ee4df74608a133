import Cordon
import Glibc
import GuestCode
import TestSupport
import Testing

/// Seccomp filters that are not ours.
@Suite struct OtherFilters {
  /// The program's filter is older than ours: it judges the calls that we let through.
  @Test(arguments: mechanisms)
  func `from before activation`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      var own = sigaction()
      own.__sigaction_handler.sa_handler = unsafeBitCast(UInt(guest_signal_handler()), to: sig_t.self)
      own.sa_flags = SA_SIGINFO
      sigaction(SIGSYS, &own, nil)
      guest_signals().pointee.result = 88
      let guest = try Guest(mechanism)
      nativeCall(Number.prctl, 38, 1)
      check(GuestFilter().load(), 0, "seccomp")
      try guest.activate()
      check(guest.call(Number.getuid), -77, "refused with an errno")
      check(guest.call(Number.getgid), 88, "answered by the program's handler")
      check(guest.log.hooked, 2, "trapped calls")
      check(delivery(SIGSYS).count, 1, "deliveries to the program's handler")
      check([delivery(SIGSYS).code, delivery(SIGSYS).error, delivery(SIGSYS).number], [1, 0x1234, 104], "its siginfo")
      check(nativeCall(Number.getgid), 88, "by code that is not trapped")
      check(nativeCall(Number.getuid), -77, "by code that is not trapped")
      check(Int(guest.session.statistics.forwarded), 2, "forwarded")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }

  /// The guest loads its own, which is newer than ours: where both trap, it is the newer one's trap.
  @Test(arguments: mechanisms)
  func `loaded by trapped code`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate()
      guest_signals().pointee.result = 88
      check(guest.setAction(SIGSYS, guest.handler()).result, 0, "rt_sigaction")
      check(guest.call(Number.prctl, 38, 1, 0, 0, 0), 0, "no_new_privs")
      check(GuestFilter().load { guest.call($0, $1, $2, $3) }, 0, "seccomp")
      let before = guest.log.hooked
      check(guest.call(Number.getuid), -77, "refused with an errno")
      check(guest.log.hooked, before + 1, "our trap is stricter than its errno")
      check(guest.call(Number.getgid), 88, "answered by the guest's handler")
      check(delivery(SIGSYS).count, 1, "deliveries to the guest's handler")
      check([delivery(SIGSYS).code, delivery(SIGSYS).error, delivery(SIGSYS).number], [1, 0x1234, 104], "its siginfo")
      check(delivery(SIGSYS).answer, Int64(getpid()), "the handler's own trapped call")
      check(nativeCall(Number.getgid), 88, "by code that is not trapped")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }

  /// The program's filter traps what the engine itself calls in the course of a trap. Those calls are not the program's:
  /// its handler does not see them, and what they were made for still happens. What it does see is a call at the place
  /// where the program made it, as without us.
  @Test(arguments: mechanisms)
  func `which trap the engine's own calls`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer, .call32)
      guest_signals().pointee.result = 88
      try guest.activate()
      check(guest.setAction(SIGSYS, guest.handler()).result, 0, "rt_sigaction")
      // The guest's handler calls getpid itself, so it must not do so here.
      guest_signals().pointee.call = nil
      let process = getpid()
      nativeCall(Number.prctl, 38, 1)
      let engines = [Number.getpid, Number.gettid, Number.getppid, Number.processVMReadv, Number.processVMWritev]
      check(GuestFilter(engines, 0x0003_1234).load(), 0, "seccomp")
      check(guest.call(Number.getpid), 88, "answered by the guest's handler")
      check(delivery(SIGSYS).count, 1, "deliveries to the guest's handler")
      check([delivery(SIGSYS).code, delivery(SIGSYS).error, delivery(SIGSYS).number], [1, 0x1234, 39], "its siginfo")
      #expect(guest.region(.call).range.contains(delivery(SIGSYS).resume), "the place where the guest goes on")
      check(delivery(SIGSYS).call_address, delivery(SIGSYS).resume, "si_call_addr")

      let before = currentMask()
      check(guest.setMask(SIG_SETMASK, UInt64.max).result, 0, "rt_sigprocmask")
      check(guest.setMask(SIG_SETMASK, before).old, everySignal & ~keptOpen(), "what it tells")
      check(guest.call(Number.rtSigprocmask, Int(SIG_BLOCK), 8, 0, 8), Int(-EFAULT), "a bad pointer")
      check(guest.setAction(SIGSYS, nil).old.handler, guest_signal_handler(), "the guest's own handler")
      check(guest.setStack(stack_t(ss_sp: guest.scratch + 2048, ss_flags: 0, ss_size: 2048)), 0, "sigaltstack")
      check(guest.call(Number.getuid), Int(getuid()), "the next trap")
      check(guest.call32(OldNumber.getuid), Int(getuid()), "by int 0x80")
      check(delivery(SIGSYS).count, 1, "deliveries to the guest's handler")
      check(nativeCall(Number.kill, Int(process), 0), 0, "the process is well")
    }
  }

  /// A supervisor of the guest's own answers its calls.
  @Test(arguments: mechanisms)
  func `with a listener`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      let listener = sharedMemory(of: Int32.self)
      nonisolated(unsafe) let place = listener
      // From before, so it has no filter and may wait for the others.
      let supervisor = TestThread {
        while place.pointee == 0 { usleep(1000) }
        return answerNotification(of: place.pointee, with: 4711)
      }
      try guest.activate(for: .callingThread)
      nativeCall(Number.prctl, 38, 1)
      let newListener = 8  // SECCOMP_FILTER_FLAG_NEW_LISTENER
      let notify: UInt32 = 0x7fc0_0000  // SECCOMP_RET_USER_NOTIF
      let descriptor = GuestFilter([Number.getuid], notify).load(flags: newListener) { guest.call($0, $1, $2, $3) }
      #expect(descriptor >= 0, "the listener: \(descriptor)")
      listener.pointee = Int32(descriptor)
      check(guest.call(Number.getuid), 4711, "answered by the guest's supervisor")
      check(supervisor.join(), Number.getuid, "what it was notified of")
      check(guest.log.calls(Number.getuid), 1, "in the hook")
    }
  }

  /// A thread has one dispatch, and where Cordon is at work a second one would catch Cordon's own calls. So it is refused,
  /// with what a kernel without the feature says.
  @Test(arguments: mechanisms)
  func `syscall user dispatch of the guest's own`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let selector = guest.scratch.holding(UInt8(1))
      for (operation, offset, length) in [(1, 0, 0), (1, 0x1000, 0x1000), (2, 0x1000, 0x1000), (3, 0, 0)] {
        check(
          guest.call(Number.prctl, 59, operation, offset, length, selector), Int(-EINVAL), "turning it on: \(operation)"
        )
        check(guest.call(Number.getpid), Int(getpid()), "the next trap")
      }
      check(guest.call(Number.prctl, 59, 0, 0, 0, 0), 0, "turning it off")
      check(guest.call(Number.prctl, 59, 0, 1, 0, 0), Int(-EINVAL), "turning it off with arguments")
      let before = guest.log.hooked
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
      check(guest.log.hooked, before + 1, "trapped calls")
    }
  }
}

/// Waits for a notification and answers it: the number of the call, or a negated errno. See seccomp_unotify(2).
private func answerNotification(of listener: Int32, with value: Int64) -> Int {
  let notification = UnsafeMutableRawPointer.allocate(byteCount: 80, alignment: 8)
  memset(notification, 0, 80)
  let received = nativeCall(Number.ioctl, Int(listener), 0xc050_2100, Int(bitPattern: notification))
  guard received == 0 else { return received }
  let answer = UnsafeMutableRawPointer.allocate(byteCount: 24, alignment: 8)
  memset(answer, 0, 24)
  answer.storeBytes(of: notification.load(as: UInt64.self), as: UInt64.self)
  answer.storeBytes(of: value, toByteOffset: 8, as: Int64.self)
  let sent = nativeCall(Number.ioctl, Int(listener), 0xc018_2101, Int(bitPattern: answer))
  return sent == 0 ? Int(notification.load(fromByteOffset: 16, as: Int32.self)) : sent
}
