import Cordon
import Glibc
import GuestCode
import Testing
import TrapEngine

/// Signals that come in at any instruction, whose handlers make trapped calls, while trapped code is at work: no window in
/// which either sees the other's state half switched.
@Suite struct SignalStorm {
  /// Go's runtime preempts its threads so. With more sites than there are thunks, calls go by the shared one.
  @Test(arguments: mechanisms, [false, true])
  func `preempted all the time`(_ mechanism: String, byTheSharedThunk: Bool) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, byTheSharedThunk = byTheSharedThunk as Bool] in
      begin()
      let guest = try Guest(mechanism, .restorer, .steady, .steady32)
      let filler = try guest.session.mapExecutable(
        (0..<40_000).flatMap { _ in [0xb8, UInt8(Number.getpid), 0, 0, 0, 0x0f, 0x05, 0xc3] as [UInt8] })
      let oldFiller = try guest.session.mapExecutable(
        (0..<4_000).flatMap { _ in [0xb8, UInt8(OldNumber.getpid), 0, 0, 0, 0xcd, 0x80, 0xc3] as [UInt8] })
      try guest.activate(for: .allThreads)
      if byTheSharedThunk {
        for index in 0..<4_000 { _ = call(oldFiller.range.start + UInt64(index * 8)) }
        for index in 0..<40_000 {
          _ = call(filler.range.start + UInt64(index * 8))
        }
      }
      check(guest.setAction(SIGURG, guest.handler(flags: KernelAction.restart)).result, 0, "rt_sigaction")
      let before = guest.log.calls(Number.rtSigreturn)
      let shared = Int(counters().shared_thunks)
      let timer = try #require(PreemptionTimer(SIGURG, nanoseconds: 47_000))
      let steady = guest.function(.steady, as: (@convention(c) (Int) -> Int).self)
      let steady32 = guest.function(.steady32, as: (@convention(c) (Int) -> Int).self)
      let callsInOneRound = 500
      var rounds = 0
      let end = time(nil) + 2
      repeat {
        let wrong = (steady(callsInOneRound), steady32(callsInOneRound))
        if wrong != (0, 0) { Issue.record("\(wrong) calls of round \(rounds) left something changed") }
        rounds += 1
      } while time(nil) < end || delivery(SIGURG).count <= 100
      timer.stop()
      let delivered = Int(delivery(SIGURG).count)
      #expect(delivered > 100, "signals that were delivered: \(delivered)")
      check(guest.log.calls(Number.rtSigreturn) - before, delivered, "returns by trapped code")
      let calls = rounds * callsInOneRound
      check(guest.log.calls(Number.getppid), calls, "getppid in the hook")
      check(guest.log.calls(OldNumber.getppid), calls, "getppid by int 0x80 in the hook")
      if byTheSharedThunk {
        #expect(Int(counters().shared_thunks) >= shared + 2 * calls, "they went by the shared thunks")
      }
      check(delivery(SIGURG).answer, Int64(getpid()), "the handler's own trapped call")
      check(currentMask(), 0, "the mask in the end")
    }
  }

  /// The trap flag is set across a trapped call: every instruction of the guest is stepped as it is without Cordon, and
  /// the one after the call too, where the kernel's own return takes the flag up one instruction late.
  @Test(arguments: mechanisms)
  func `single steps over a trapped call`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .stepped)
      var action = sigaction()
      action.__sigaction_handler.sa_handler = unsafeBitCast(UInt(guest_stepping_handler()), to: sig_t.self)
      action.sa_flags = SA_SIGINFO
      sigaction(SIGTRAP, &action, nil)
      let code = guest.region(.stepped).range
      guest_steps().pointee.start = code.start
      guest_steps().pointee.end = code.end
      let function = guest.function(.stepped, as: (@convention(c) () -> Int).self)
      let afterCall = UInt64(try #require(GuestTemplate.stepped.code.firstRange(of: [0x0f, 0x05])).upperBound)
      // As it is without Cordon.
      check(function(), Int(getpid()), "getpid, stepped natively")
      let native = stepsTaken().filter { $0 != afterCall }
      #expect(native.count >= 5, "steps without Cordon: \(native)")
      try guest.activate(for: .allThreads)
      for round in 1...3 {
        check(function(), Int(getpid()), "getpid, stepped")
        check(stepsTaken().filter { $0 != afterCall }, native, "the steps")
        check(guest.log.hooked, round, "trapped calls")
      }
    }
  }
}

/// Signals to the calling thread at short intervals, also while no other thread has a processor.
private struct PreemptionTimer {
  private let id: Int

  init?(_ signal: Int32, nanoseconds: Int) {
    // struct sigevent: a value, the signal, how (SIGEV_THREAD_ID), the thread; 64 bytes.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 8)
    defer { memory.deallocate() }
    memset(memory, 0, 128)
    memory.storeBytes(of: signal, toByteOffset: 8, as: Int32.self)
    memory.storeBytes(of: 4, toByteOffset: 12, as: Int32.self)
    memory.storeBytes(of: gettid(), toByteOffset: 16, as: Int32.self)
    let created = nativeCall(
      Number.timerCreate, Int(CLOCK_MONOTONIC), Int(bitPattern: memory), Int(bitPattern: memory + 64))
    guard created == 0 else { return nil }
    id = Int(memory.load(fromByteOffset: 64, as: Int32.self))
    let interval = timespec(tv_sec: 0, tv_nsec: nanoseconds)
    let times = memory.holding(itimerspec(it_interval: interval, it_value: interval))
    guard nativeCall(Number.timerSettime, id, 0, times, 0) == 0 else { return nil }
  }

  func stop() { nativeCall(Number.timerDelete, id) }
}

/// Where in the template the steps since the last question went, by offset.
private func stepsTaken() -> [UInt64] {
  guard let steps = guest_steps() else { return [] }
  defer { steps.pointee.count = 0 }
  return withUnsafeBytes(of: steps.pointee.taken) { bytes in
    (0..<Int(steps.pointee.count)).map {
      bytes.load(fromByteOffset: $0 * 8, as: UInt64.self) - steps.pointee.start
    }
  }
}
