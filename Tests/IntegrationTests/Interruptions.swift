import Cordon
import Glibc
import GuestCode
import TestSupport
import Testing

/// Calls that block, by trapped code, and what breaks into them.
@Suite struct Interruptions {
  /// A stopped nanosleep goes on by restart_syscall(2), which the kernel has the thread make at the same instruction.
  @Test(arguments: mechanisms)
  func `nanosleep stopped and continued`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let start = monotonicMilliseconds()
      let stopper = guest_fork_stopper(getpid(), 150_000, 150_000)
      let request = guest.scratch.holding(timespec(tv_sec: 0, tv_nsec: 900_000_000))
      let result = guest.call(Number.nanosleep, request)
      check(result, 0, "nanosleep")
      #expect(monotonicMilliseconds() - start >= 900, "it sleeps for its whole time")
      var status: Int32 = -1
      check(waitpid(stopper, &status, 0), stopper, "waitpid")
      check(status, 0, "the wait status of the process that saw us stopped")
      check(guest.log.calls(Number.nanosleep), 1, "nanosleep in the hook")
      check(guest.log.calls(Number.restartSyscall), 0, "restart_syscall in the hook")
      check(guest.log.hooked, 1, "trapped calls")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }

  /// A signal whose handler makes trapped calls, while a trapped read waits for a pipe. The handler writes to the pipe.
  @Test(arguments: mechanisms, [false, true])
  func `read interrupted by a handler`(_ mechanism: String, restarts: Bool) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, restarts = restarts as Bool] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      guest_signals().pointee.descriptor = ends[1]
      guest.setAction(SIGUSR1, guest.handler(flags: restarts ? KernelAction.restart : 0))
      let buffer = guest.scratch + 1024
      for round in 1...3 {
        buffer.storeBytes(of: 0, as: UInt8.self)
        let sender = signalWhenBlocked(SIGUSR1, in: Number.read)
        let result = guest.call(Number.read, Int(ends[0]), Int(bitPattern: buffer), 1)
        sender.join()
        check(delivery(SIGUSR1).count, UInt64(round), "deliveries")
        check(delivery(SIGUSR1).answer, Int64(getpid()), "the handler's trapped call")
        check(result, restarts ? 1 : Int(-EINTR), "the read")
        check(buffer.load(as: UInt8.self), restarts ? UInt8(ascii: "!") : 0, "what it read")
        if !restarts {
          check(guest.call(Number.read, Int(ends[0]), Int(bitPattern: buffer), 1), 1, "the read afterwards")
        }
      }
      check(guest.log.calls(Number.read), restarts ? 3 : 6, "reads in the hook: a restart is no second trap")
    }
  }

  /// The trapped call never returns: the handler jumps out of it, to a place above.
  @Test(arguments: mechanisms, [false, true])
  func `siglongjmp out of a handler`(_ mechanism: String, onAlternateStack: Bool) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, onAlternateStack = onAlternateStack as Bool] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      if onAlternateStack { useAlternateStack() }
      try guest.activate(for: .allThreads)
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      let flags = onAlternateStack ? KernelAction.onStack : 0
      guest.setAction(SIGUSR1, guest.handler(guest_jumping_signal_handler(), flags: flags))
      for round in 1...5 {
        let sender = signalWhenBlocked(SIGUSR1, in: Number.read)
        check(
          guest_call_until_signal(Number.read, Int(ends[0]), Int(bitPattern: guest.scratch + 1024), 1, 0), 1, "the jump"
        )
        sender.join()
        check(guest.log.calls(Number.read), round, "reads in the hook")
        check(currentMask(), 0, "the mask after the jump")
        check(guest.call(Number.getpid), Int(getpid()), "the next trap")
        check(guest.stack().flags, onAlternateStack ? 0 : Int32(SS_DISABLE), "the alternate stack after the jump")
      }
    }
  }

  /// The SIGSYS frame is never returned from.
  @Test(arguments: mechanisms, [false, true])
  func `siglongjmp out of the hook`(_ mechanism: String, onAlternateStack: Bool) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, onAlternateStack = onAlternateStack as Bool] in
      begin()
      let guest = try Guest(mechanism, .once, hook: guest_jumping_hook)
      if onAlternateStack { useAlternateStack() }
      try guest.activate(for: .allThreads)
      check(guest_call_and_jump(guest.address(.once), 2000), 2000, "jumps")
      check(guest.log.hooked, 2000, "trapped calls")
      check(currentMask(), 0, "the mask after the jumps")
    }
  }

  /// libc cancels by a signal whose handler does not return.
  @Test(arguments: mechanisms)
  func `pthread_cancel of a thread in a trapped call`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      guest.scratch.storeBytes(of: Int(ends[0]), as: Int.self)
      let pointer = Unmanaged.passUnretained(guest).toOpaque()
      for round in 1...5 {
        guest.scratch.storeBytes(of: 0, toByteOffset: 8, as: Int32.self)
        var thread = pthread_t()
        pthread_create(
          &thread, nil,
          { pointer in
            guard let pointer else { return nil }
            pthread_setcanceltype(Int32(PTHREAD_CANCEL_ASYNCHRONOUS), nil)
            let guest = Unmanaged<Guest>.fromOpaque(pointer).takeUnretainedValue()
            guest.scratch.storeBytes(of: gettid(), toByteOffset: 8, as: Int32.self)
            guest.call(Number.read, guest.scratch.load(as: Int.self), Int(bitPattern: guest.scratch + 1024), 1)
            return nil
          }, pointer)
        while guest.scratch.read(Int32.self, at: 8) == 0 { usleep(1000) }
        waitUntilBlocked(guest.scratch.read(Int32.self, at: 8), in: Number.read)
        check(pthread_cancel(thread), 0, "pthread_cancel")
        var result: UnsafeMutableRawPointer?
        check(pthread_join(thread, &result), 0, "pthread_join")
        check(Int(bitPattern: result), -1, "PTHREAD_CANCELED")
        check(guest.log.calls(Number.read), round, "reads in the hook")
      }
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }
}

private func monotonicMilliseconds() -> Int {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}
