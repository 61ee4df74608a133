import Cordon
import Glibc
import GuestCode
import TestSupport
import Testing

/// SIGSYS that is not a trap of ours is the program's, under every mechanism.
@Suite struct OwnSignals {
  @Test(arguments: mechanisms)
  func `a handler set before activation gets what others send`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      installNatively(KernelAction(handler: guest_signal_handler(), flags: KernelAction.siginfo, mask: bit(SIGUSR2)))
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      check(kill(getpid(), SIGSYS), 0, "kill")
      waitForDelivery(1)
      check(delivery(SIGSYS).code, 0, "si_code of kill")
      check(delivery(SIGSYS).pid, getpid(), "si_pid of kill")

      check(
        sigqueue(getpid(), SIGSYS, sigval(sival_ptr: UnsafeMutableRawPointer(bitPattern: 0x1234_5678_9abc))), 0,
        "sigqueue")
      waitForDelivery(2)
      check(delivery(SIGSYS).code, -1, "si_code of sigqueue")
      check(delivery(SIGSYS).value, 0x1234_5678_9abc, "si_value")
      check(delivery(SIGSYS).pid, getpid(), "si_pid of sigqueue")

      check(pthread_kill(pthread_self(), SIGSYS), 0, "pthread_kill")
      waitForDelivery(3)
      check(delivery(SIGSYS).code, -6, "si_code of pthread_kill")
      check(delivery(SIGSYS).mask, 0, "the mask under the handler")
      // Its own mask; SIGSYS itself stays open, for the next trap.
      check(delivery(SIGSYS).mask_inside, bit(SIGUSR2), "the mask of the handler")
      check(currentMask(), 0, "the mask after it")

      check(guest.raise(SIGSYS), 0, "tgkill by trapped code")
      waitForDelivery(4)
      check(guest.log.hooked, 1, "trapped calls")
      check(Int(guest.session.statistics.forwarded), 4, "forwarded")
    }
  }

  @Test(arguments: mechanisms)
  func `a handler without siginfo`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      installNatively(KernelAction(handler: guest_plain_signal_handler()))
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      guest.raise(SIGSYS)
      waitForDelivery(1)
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }

  @Test(arguments: mechanisms)
  func `a handler for one time`(_ mechanism: String) async {
    await #expect(processExitsWith: .signal(SIGSYS)) { [mechanism = mechanism as String] in
      begin()
      installNatively(
        KernelAction(handler: guest_signal_handler(), flags: KernelAction.siginfo | KernelAction.resetHand))
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      guest.raise(SIGSYS)
      guard delivery(SIGSYS).count == 1, guest.call(Number.getpid) == Int(getpid()) else { exit(1) }
      guard guest.setAction(SIGSYS, nil).old.handler == 0 else { exit(2) }
      guest.raise(SIGSYS)
      exit(3)
    }
  }

  @Test(arguments: mechanisms)
  func `ignored`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      installNatively(KernelAction(handler: 1))
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      for _ in 0..<3 { check(guest.raise(SIGSYS), 0, "tgkill") }
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
      check(guest.log.hooked, 4, "trapped calls")
    }
  }

  /// What SIGSYS does to a call that waits is up to the program's own disposition.
  @Test(arguments: mechanisms, ["ignored", "handled", "handled with SA_RESTART"])
  func `while a call waits`(_ mechanism: String, _ how: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, how = how as String] in
      begin()
      guest_signals().pointee.descriptor = -1
      let restart = how == "handled" ? 0 : KernelAction.restart
      installNatively(
        how == "ignored"
          ? KernelAction(handler: 1) : KernelAction(handler: guest_plain_signal_handler(), flags: restart))
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      let (thread, id, writeEnd) = (pthread_self(), gettid(), ends[1])
      let sender = TestThread {
        waitUntilBlocked(id, in: Number.read)
        pthread_kill(thread, SIGSYS)
        // A signal that is ignored, or whose call is restarted, leaves the thread where it was.
        while guest.session.statistics.forwarded == 0 { usleep(1000) }
        return write(writeEnd, "!", 1)
      }
      let buffer = Int(bitPattern: guest.scratch + 1024)
      check(guest.call(Number.read, Int(ends[0]), buffer, 1), how == "handled" ? Int(-EINTR) : 1, "the read")
      sender.join()
      check(delivery(SIGSYS).count, how == "ignored" ? 0 : 1, "deliveries")
      check(guest.log.hooked, 1, "trapped calls")
    }
  }

  /// The default action of SIGSYS, and the wait status that tells of it.
  @Test(arguments: mechanisms, ["kill", "sigqueue", "tgkill"])
  func `without a handler the process dies of it`(_ mechanism: String, _ how: String) async {
    await #expect(processExitsWith: .signal(SIGSYS)) { [mechanism = mechanism as String, how = how as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      guard guest.call(Number.getpid) == Int(getpid()) else { exit(1) }
      switch how {
      case "kill": kill(getpid(), SIGSYS)
      case "sigqueue": sigqueue(getpid(), SIGSYS, sigval(sival_int: 1))
      default: guest.raise(SIGSYS)
      }
      while true { pause() }
    }
  }

  /// Trapped code sees and sets its own disposition; ours stays.
  @Test(arguments: mechanisms)
  func `rt_sigaction of SIGSYS by trapped code`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let first = KernelAction(
        handler: guest_plain_signal_handler(), flags: KernelAction.restart | KernelAction.hasRestorer,
        restorer: 0x1234_5000, mask: bit(SIGUSR1) | bit(SIGSYS))
      installNatively(first)
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      check(guest.setAction(SIGSYS, nil).old, first, "the disposition from before activation")

      let second = guest.handler(mask: bit(SIGUSR2))
      let set = guest.setAction(SIGSYS, second)
      check(set.result, 0, "setting")
      check(set.old, first, "what setting replaced")
      check(guest.setAction(SIGSYS, nil).old, second, "what was set")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
      kill(getpid(), SIGSYS)
      waitForDelivery(1)
      check(delivery(SIGSYS).answer, Int64(getpid()), "the handler's own trapped call")
      check(delivery(SIGSYS).mask_inside, bit(SIGUSR2), "the mask of the handler")

      check(guest.setAction(SIGSYS, KernelAction(handler: 1)).result, 0, "ignoring")
      kill(getpid(), SIGSYS)
      // Another thread may take it, when it gets to it.
      while guest.session.statistics.forwarded < 2 { usleep(1000) }
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
      check(guest.setAction(SIGSYS, second).old.handler, 1, "what was ignored")
      kill(getpid(), SIGSYS)
      waitForDelivery(2)

      let action = guest.scratch.holding(second)
      check(guest.call(Number.rtSigaction, Int(SIGSYS), 8, 0, 8), Int(-EFAULT), "a bad pointer")
      check(guest.call(Number.rtSigaction, Int(SIGSYS), 0, 8, 8), Int(-EFAULT), "a bad pointer for the old one")
      check(guest.call(Number.rtSigaction, Int(SIGSYS), action, 0, 16), Int(-EINVAL), "a bad size")
      check(guest.setAction(SIGSYS, nil).old, second, "the disposition after them")
    }
  }

  /// A child that borrows the memory has dispositions of its own: posix_spawn's child resets every handler.
  @Test(arguments: mechanisms)
  func `what a vfork child sets is the child's`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      installNatively(KernelAction(handler: guest_signal_handler(), flags: KernelAction.siginfo))
      let guest = try Guest(mechanism, .restorer)
      guest_signals().pointee.call = guest.function(.call, as: GuestCall.self)
      try guest.activate(for: .allThreads)
      // Often: whatever is kept for a child must not push out what is kept for the parent.
      for _ in 0..<200 {
        var status: Int32 = -1
        let child = guest_vfork_and_reset(SIGSYS)
        check(waitpid(pid_t(child), &status, 0), pid_t(child), "waitpid")
        check(status, 0, "the child's wait status")
      }
      check(guest.setAction(SIGSYS, nil).old.handler, guest_signal_handler(), "the parent's handler")
      kill(getpid(), SIGSYS)
      waitForDelivery(1)
    }
  }

  /// kcmp(2) would be refused there.
  @Test(arguments: mechanisms)
  func `what a vfork child sets, where the process may not be looked into`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      becomeOrdinary()
      installNatively(KernelAction(handler: guest_signal_handler(), flags: KernelAction.siginfo))
      let guest = try Guest(mechanism)
      guest_signals().pointee.call = guest.function(.call, as: GuestCall.self)
      try guest.activate(for: .allThreads)
      nativeCall(Number.prctl, 4, 0)  // PR_SET_DUMPABLE
      for _ in 0..<3 {
        var status: Int32 = -1
        let child = guest_vfork_and_reset(SIGSYS)
        check(waitpid(pid_t(child), &status, 0), pid_t(child), "waitpid")
        check(status, 0, "the child's wait status")
        check(guest.setAction(SIGSYS, nil).old.handler, guest_signal_handler(), "the parent's handler")
      }
    }
  }

  /// clone3(CLONE_CLEAR_SIGHAND) takes the guest's handler from the child, and leaves what is ignored.
  @Test(arguments: mechanisms)
  func `what a child without signal handlers has`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      for handler in [guest_signal_handler(), 1, 0] {
        var action = guest.handler()
        action.handler = handler
        check(guest.setAction(SIGSYS, action).result, 0, "rt_sigaction")
        let arguments = guest.scratch + 512
        memset(arguments, 0, 88)
        arguments.storeBytes(of: 0x1_0000_0000, as: UInt64.self)
        arguments.storeBytes(of: UInt64(SIGCHLD), toByteOffset: 32, as: UInt64.self)
        let child = guest.call(Number.clone3, Int(bitPattern: arguments), 88)
        if child == 0 {
          let found = guest.setAction(SIGSYS, nil).old.handler
          let trapped = guest.call(Number.getpid) == Int(getpid())
          _exit(trapped ? Int32(found == 1 ? 1 : found == 0 ? 2 : 3) : 4)
        }
        var status: Int32 = -1
        check(waitpid(pid_t(child), &status, 0), pid_t(child), "waitpid")
        check(status >> 8, handler == 1 ? 1 : 2, "what the child has: 1 ignored, 2 default, 3 the handler")
        check(guest.setAction(SIGSYS, nil).old.handler, handler, "what the parent has")
      }
    }
  }

  /// Each record says in every word who has set it.
  @Test(arguments: mechanisms)
  func `set by many threads at once`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let start = Signpost()
      let threads = (1...8).map { index in
        TestThread {
          let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
          start.wait()
          var torn = 0
          for round in 0..<4_000 {
            let mark = UInt64(index << 16 | round) << 32
            let new = memory.holding(KernelAction(handler: mark | 2, flags: mark, restorer: mark, mask: mark))
            guest.call(Number.rtSigaction, Int(SIGSYS), new, new + 32, 8)
            let old = memory.read(KernelAction.self, at: 32)
            if old.handler & ~2 != old.flags || old.flags != old.restorer || old.restorer != old.mask { torn += 1 }
          }
          return torn
        }
      }
      start.open()
      check(threads.map { $0.join() }, [Int](repeating: 0, count: 8), "records that were neither one nor the other")
    }
  }

  /// What counts its time down goes on; for the others see restart_syscall(2).
  @Test(arguments: mechanisms)
  func `ignored, it does not wake a sleeper`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      installNatively(KernelAction(handler: 1))
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let sender = signalWhenBlocked(SIGSYS, in: Number.nanosleep)
      let request = guest.scratch.holding(timespec(tv_sec: 0, tv_nsec: 400_000_000))
      var (start, end) = (timespec(), timespec())
      clock_gettime(CLOCK_MONOTONIC, &start)
      check(guest.call(Number.nanosleep, request), 0, "nanosleep")
      clock_gettime(CLOCK_MONOTONIC, &end)
      let slept = (end.tv_sec - start.tv_sec) * 1_000_000_000 + end.tv_nsec - start.tv_nsec
      #expect(slept >= 400_000_000, "it sleeps for its whole time: \(slept) ns")
      sender.join()
      check(Int(guest.session.statistics.forwarded), 1, "forwarded")
    }
  }
}

/// Sets SIGSYS by code that is not trapped.
private func installNatively(_ action: KernelAction) {
  var action = action
  if action.handler > 1, action.flags & KernelAction.hasRestorer == 0 {
    // libc knows its restorer.
    var libc = sigaction()
    sigaction(SIGSYS, nil, &libc)
    libc.__sigaction_handler.sa_handler = unsafeBitCast(UInt(action.handler), to: sig_t.self)
    libc.sa_flags = Int32(truncatingIfNeeded: action.flags)
    for signal in 1...31 where action.mask & bit(Int32(signal)) != 0 { sigaddset(&libc.sa_mask, Int32(signal)) }
    sigaction(SIGSYS, &libc, nil)
    return
  }
  withUnsafeMutablePointer(to: &action) {
    check(nativeCall(Number.rtSigaction, Int(SIGSYS), Int(bitPattern: $0), 0, 8), 0, "rt_sigaction")
  }
}

/// A signal to the process may be taken by another of its threads.
private func waitForDelivery(_ count: UInt64, at location: SourceLocation = #_sourceLocation) {
  while delivery(SIGSYS).count < count { usleep(1000) }
  check(delivery(SIGSYS).count, count, "deliveries", at: location)
}
