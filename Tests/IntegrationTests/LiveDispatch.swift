import Cordon
import Glibc
import GuestCode
import Synchronization
import TestSupport
import Testing
import TrapEngine

/// Changes under syscall user dispatch that need something of every thread: the dispatched range moves.
@Suite struct LiveDispatch {
  private static let ranged = mechanisms.filter { $0 == "sud-exclusive" || $0 == "sud-inclusive" }

  /// A thread is asked in the very moment in which it traps, again and again.
  @Test(arguments: ranged)
  func `threads that trap without pause lose no call while the dispatched range moves`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, seconds = ThreadStorm.seconds as Int] in
      begin(seconds: 900 + UInt32(seconds))
      let guest = try Guest(mechanism, .getpid)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let pages = try HighPages(20_000)
      let latest = Atomic<UInt64>(guest.address(.getpid))
      let stop = Signpost()
      let old = guest.address(.getpid)
      let threads = (0..<8).map { _ in
        TestThread {
          var (calls, wrong) = (0, 0)
          repeat {
            if call(old) != 4711 { wrong += 1 }
            if guest_enter(latest.load(ordering: .acquiring), Number.getpid, 0, 0, 0, 0) != 4711 { wrong += 1 }
            calls += 1
          } while !stop.isOpen
          return wrong > 0 ? -wrong : calls
        }
      }
      let end = time(nil) + seconds
      var moves: UInt64 = 0
      while moves < pages.count, time(nil) < end || moves <= 10 {
        try pages.trap(moves, in: guest.session)
        latest.store(pages.start(moves), ordering: .releasing)
        moves += 1
      }
      stop.open()
      let calls = threads.map { $0.join() }
      #expect(moves > 10, "\(moves) moves")
      #expect(calls.allSatisfy { $0 > 0 }, "calls that were lost, or passed: \(calls)")
    }
  }

  /// They wait for each other with their signals held back, and are asked all the same.
  @Test(arguments: ranged)
  func `8 threads move the dispatched range at once`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let pages = try HighPages(160)
      let next = Atomic<UInt64>(0)
      let threads = (0..<8).map { _ in
        TestThread {
          while true {
            let page = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard page < pages.count else { return 0 }
            guard (try? pages.trap(page, in: guest.session)) != nil,
              guest_enter(pages.start(page), Number.getpid, 0, 0, 0, 0) == 4711
            else { return Int(page) + 1 }
          }
        }
      }
      check(threads.map { $0.join() }, [Int](repeating: 0, count: 8), "the page that went wrong")
      check(guest.session.regions.count, 161, "regions")
    }
  }

  /// Trapped code may block what it likes: its thread is reached, in every state.
  @Test(arguments: ranged)
  func `threads that block every signal, and one inside its hook`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let waiting = Signpost()
      let (inHook, goOn) = (Signpost(), Signpost())
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let region = try session.mapExecutable(GuestTemplate.call.code)
      try session.setHook(
        TrapHook { trap in
          switch trap.number {
          case Number.getpid: return .value(4711)
          case Number.getuid:
            inHook.open()
            goOn.wait()
            return .value(0)
          default: return .pass
          }
        })
      try session.activate(for: .allThreads)
      let pages = try HighPages(2)
      let enter: @Sendable (Int, Int, Int, Int, Int) -> Int = { number, a, b, c, d in
        unsafeBitCast(UInt(region.range.start), to: GuestCall.self)(number, a, b, c, d, 0, 0)
      }
      nonisolated(unsafe) let everything = sharedMemory(of: UInt64.self)
      everything.pointee = .max
      let blocked = Signpost()
      let blocking = TestThread {
        guard enter(Number.rtSigprocmask, Int(SIG_SETMASK), Int(bitPattern: everything), 0, 8) == 0 else { return -1 }
        blocked.open()
        waiting.wait()
        return guest_enter(pages.start(0), Number.getpid, 0, 0, 0, 0)
      }
      signal(SIGUSR1) { _ in }
      nonisolated(unsafe) let allButOne = sharedMemory(of: UInt64.self)
      allButOne.pointee = ~bit(SIGUSR1)
      nonisolated(unsafe) let id = sharedMemory(of: Int32.self)
      let suspended = TestThread {
        id.pointee = gettid()
        // Being asked ends it, as any handler does.
        while !waiting.isOpen { _ = enter(Number.rtSigsuspend, Int(bitPattern: allButOne), 8, 0, 0) }
        defer { id.pointee = 0 }
        return guest_enter(pages.start(0), Number.getpid, 0, 0, 0, 0)
      }
      let hooked = TestThread {
        guard enter(Number.getuid, 0, 0, 0, 0) == 0 else { return -1 }
        return guest_enter(pages.start(0), Number.getpid, 0, 0, 0, 0)
      }
      blocked.wait()
      inHook.wait()
      while id.pointee == 0 { usleep(1000) }
      waitUntilBlocked(id.pointee, in: Number.rtSigsuspend)
      try pages.trap(0, in: session)
      waiting.open()
      goOn.open()
      while id.pointee != 0 {
        nativeCall(Number.tgkill, Int(getpid()), Int(id.pointee), Int(SIGUSR1))
        usleep(1000)
      }
      check([blocking.join(), suspended.join(), hooked.join()], [4711, 4711, 4711], "their calls in the new region")
    }
  }

  /// It is libc's, for setuid(2): what libc sends arrives, and trapped code sees and sets what is libc's.
  @Test(arguments: ranged)
  func `the signal by which threads are asked has its own use too`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      guest.log.answer(Number.getpid, .value, 4711)
      let pages = try HighPages(2)
      let goOn = Signpost()
      let other = TestThread {
        goOn.wait()
        return guest_enter(pages.start(0), Number.getpid, 0, 0, 0, 0)
      }
      let libc = kernelAction(33)
      try guest.activate(for: .allThreads)
      let taken = Int32(cordon_requests_signal())
      check(taken, 33, "the signal")
      #expect(kernelAction(taken) != libc)
      // Has every thread do it, and waits for all.
      check(setreuid(.max, .max), 0, "setreuid")
      check(guest.setMask(SIG_SETMASK, .max).result, 0, "blocking all")
      check(currentMask(), everySignal & ~bit(SIGSYS) & ~bit(taken), "the mask")
      check(guest.setAction(taken, nil).old, libc, "libc's handler, as trapped code sees it")
      check(guest.setAction(taken, guest.handler()).result, 0, "a handler of the guest's")
      check(guest.setAction(taken, nil).old.handler, guest_signal_handler(), "the guest's handler")
      check(guest.raise(taken), 0, "tgkill")
      check(delivery(taken).count, 1, "its deliveries")
      check(guest.setAction(taken, libc).result, 0, "libc's handler again")
      check(guest.setMask(SIG_SETMASK, 0).result, 0, "blocking nothing")
      try pages.trap(0, in: guest.session)
      check(setreuid(.max, .max), 0, "setreuid")
      goOn.open()
      check(other.join(), 4711, "the other thread's call in the new region")
      // In a child libc begins anew, and sets its handler with the first thread.
      let child = fork()
      if child == 0 {
        let goOn = Signpost()
        let thread = TestThread {
          goOn.wait()
          return guest_enter(pages.start(1), Number.getpid, 0, 0, 0, 0)
        }
        guard (try? pages.trap(1, in: guest.session)) != nil else { _exit(1) }
        goOn.open()
        _exit(thread.join() == 4711 ? 0 : 2)
      }
      var status: Int32 = -1
      check(waitpid(child, &status, 0), child, "waitpid")
      check(status, 0, "the child's wait status")
    }
  }
}

/// What the kernel has for a signal, asked for by code that is not trapped.
private func kernelAction(_ signal: Int32) -> KernelAction {
  var action = KernelAction()
  withUnsafeMutablePointer(to: &action) { action in
    _ = nativeCall(Number.rtSigaction, Int(signal), 0, Int(bitPattern: action), 8)
  }
  return action
}
