import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing
import TrapEngine

/// A filter that traps native calls is attached while all other threads stand still: whoever they are, and whatever they are
/// in the middle of.
@Suite struct StoppedThreads {
  @Test(arguments: [64, 1_000])
  func `many threads, for an ordinary user`(_ count: Int) async {
    await #expect(processExitsWith: .success) { [count = count as Int] in
      begin()
      becomeOrdinary()
      let guest = try Guest("seccomp", options: [.guardsSIGSYS])
      guest.log.answer(Number.getpid, .value, 4711)
      // They wait without waking up.
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      let threads = (0..<count).map { [end = ends[0]] _ in
        TestThread {
          var byte: UInt8 = 0
          return read(end, &byte, 1) == 0 ? guest.call(Number.getpid) : -1
        }
      }
      try guest.activate(for: .allThreads)
      close(ends[1])
      check(threads.map { $0.join() }.filter { $0 != 4711 }, [], "their calls")
      check(guest.log.hooked, count, "trapped calls")
    }
  }

  /// A thread that waits for its vfork child runs nothing before it has been asked; so nobody waits for it.
  @Test func `a thread in vfork`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp", options: [.guardsSIGSYS])
      guest.log.answer(Number.getpid, .value, 4711)
      nonisolated(unsafe) let until = sharedMemory(of: Int32.self)
      defer { until.pointee = 1 }
      let waiting = IdentifiedThread { guest_wait_in_vfork(until) == 0 ? guest.call(Number.getpid) : -1 }
      waitUntilBlocked(waiting.id, in: Number.vfork)
      try guest.activate(for: .allThreads)
      until.pointee = 1
      check(waiting.thread.join(), 4711, "its call")
    }
  }

  /// It believes that it has, and can be asked all the same: what traps later may need that.
  @Test func `trapped code that has blocked every signal`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let goOn = Signpost()
      let blocked = Signpost()
      let blocking = TestThread {
        let result = guest.setMask(SIG_SETMASK, .max).result
        blocked.open()
        goOn.wait()
        return result == 0 ? guest.call(Number.getpid) : result
      }
      blocked.wait()
      try guest.session.trap(HighPages(30).trapAllButLast(in: guest.session))
      check(guest.session.statistics.filters, 25, "filters")
      goOn.open()
      check(blocking.join(), 4711, "its call")
    }
  }

  /// The process has a main thread until its last one has ended.
  @Test func `a main thread that has ended`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp", options: [.guardsSIGSYS])
      guest.log.answer(Number.getpid, .value, 4711)
      let status = inChild {
        let main = gettid()
        let activating = TestThread {
          while !linesOfFile("/proc/self/task/\(main)/status").contains(where: { $0.hasPrefix("State:\tZ") }) {
            usleep(1_000)
          }
          guard (try? guest.session.activate(for: .allThreads)) != nil else { _exit(2) }
          _exit(guest.call(Number.getpid) == 4711 ? 0 : 3)
        }
        // Of this thread alone, and as libc does it.
        setSignalMask(everySignal)
        nativeCall(Number.exit, 0)
        activating.join()
      }
      check(status, 0, "how the child ended")
    }
  }

  /// It blocks every signal, and runs no code of the process's that could trap.
  @Test func `a worker of the kernel's`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp", options: [.guardsSIGSYS])
      guest.log.answer(Number.getpid, .value, 4711)
      // struct io_uring_params: IORING_SETUP_SQPOLL, and for how many milliseconds that thread looks for work.
      let parameters = UnsafeMutableRawPointer.allocate(byteCount: 120, alignment: 8)
      parameters.initializeMemory(as: UInt8.self, repeating: 0, count: 120)
      parameters.storeBytes(of: 2, toByteOffset: 8, as: UInt32.self)
      parameters.storeBytes(of: 1, toByteOffset: 16, as: UInt32.self)
      let ring = nativeCall(Number.ioUringSetup, 4, Int(bitPattern: parameters))
      guard ring >= 0 else {
        print("a worker of the kernel's is not tested here, since io_uring_setup fails with errno \(-ring)")
        return
      }
      try guest.activate(for: .allThreads)
      check(guest.call(Number.getpid), 4711, "a trapped call")
    }
  }

  /// The request's handler runs on it.
  @Test func `a thread with a small alternate stack`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp", options: [.guardsSIGSYS])
      guest.log.answer(Number.getpid, .value, 4711)
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      let waiting = IdentifiedThread { [end = ends[0]] in
        useAlternateStack(size: sysconf(249 /* _SC_MINSIGSTKSZ */) + 1024)
        var byte: UInt8 = 0
        return read(end, &byte, 1) == 0 ? guest.call(Number.getpid) : -1
      }
      waitUntilBlocked(waiting.id, in: Number.read)
      try guest.activate(for: .allThreads)
      close(ends[1])
      check(waiting.thread.join(), 4711, "its call")
    }
  }

  /// It can be asked at any time, but what it calls would kill it.
  @Test func `a thread that blocks SIGSYS alone`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let pages = try HighPages(30)
      let last = try pages.trapAllButLast(in: guest.session)
      let goOn = Signpost()
      let blocking = IdentifiedThread {
        setSignalMask(bit(SIGSYS))
        goOn.wait()
        setSignalMask(0)
        return guest.call(Number.getpid)
      }
      while !isBlocking(blocking.id, SIGSYS) { usleep(1_000) }
      expectNoChange(of: guest, .signalBlocked(threads: [blocking.id])) { () throws(SessionError) in
        try guest.session.trap(last)
      }
      // As the engine finds it, without a look at /proc before it.
      let silence = attachWhileThreadsStandStill(CordonPatience(silent_ms: 100, starved_ms: 30_000))
      check([Int(silence.thread), silence.error], [Int(blocking.id), -Int(EBUSY)], "what the engine says")
      goOn.open()
      check(blocking.thread.join(), 4711, "its call")
      try guest.session.trap(last)
      check(guest.session.statistics.filters, 25, "filters")
      check(guest_enter(last.start, Number.getpid, 0, 0, 0, 0), 4711, "the call in the new region")
    }
  }

  /// It answers late: when nobody waits for it any more, and when somebody does again.
  @Test(arguments: [false, true])
  func `a thread that blocks the signal by which it is asked`(_ inSecondAttempt: Bool) async {
    await #expect(processExitsWith: .success) { [inSecondAttempt = inSecondAttempt as Bool] in
      begin()
      let guest = try Guest("seccomp", options: [.guardsSIGSYS])
      guest.log.answer(Number.getpid, .value, 4711)
      let (goOn, open, activated) = (Signpost(), Signpost(), Signpost())
      let blocking = IdentifiedThread {
        setSignalMask(bit(33))
        goOn.wait()
        setSignalMask(0)
        open.open()
        activated.wait()
        return guest.call(Number.getpid)
      }
      while !isBlocking(blocking.id, 33) { usleep(1_000) }
      let others = (0..<4).map { _ in
        TestThread {
          activated.wait()
          return guest.call(Number.getpid)
        }
      }
      let (before, regions) = (ProcessState(), guest.session.regions)
      #expect(throws: SessionError.threadNotStopped(blocking.id, .timedOut)) {
        try guest.session.activate(for: .allThreads)
      }
      check(guest.session.regions, regions, "the regions")
      #expect(!guest.session.isActive && !ProcessState().isInstalled)
      check(ProcessState().mostFilters, before.mostFilters, "filters")
      check(guest.call(Number.getpid), Int(getpid()), "the region's call")
      let releasing = TestThread { [asking = gettid()] in
        if inSecondAttempt { waitUntilBlocked(asking, in: Number.futex) }
        goOn.open()
        return 0
      }
      if !inSecondAttempt { open.wait() }
      try guest.activate(for: .allThreads)
      activated.open()
      check(([blocking.thread] + others).map { $0.join() }, [4711, 4711, 4711, 4711, 4711], "calls")
      releasing.join()
    }
  }

  /// A request that has not been answered does not come to the program that the thread executes, which would end of it.
  @Test func `a thread that has been asked executes a program`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let status = inChild {
        let guest = try Guest("seccomp", options: [.guardsSIGSYS])
        setSignalMask(bit(33))
        let activating = TestThread {
          setSignalMask(0)
          return (try? guest.session.activate(for: .allThreads)) == nil ? 1 : 0
        }
        guard activating.join() == 1, isPending(gettid(), 33) else { _exit(2) }
        let words = ["grep", "-q", "SigPnd:.0000000000000000", "/proc/self/status"]
        var arguments = words.map { strdup($0) }
        arguments.append(nil)
        execv("/bin/grep", arguments)
      }
      check(status, 0, "how the child ended")
    }
  }

  /// libc's code as a region is native code that blocks every signal for a moment, like a filter that traps everything.
  @Test func `libc itself becomes a region while threads are made`() async {
    await #expect(processExitsWith: .success) {
      begin()
      var statuses: [Int32: Int] = [:]
      for _ in 0..<20 {
        let status = inChild {
          let guest = try Guest("seccomp")
          guest.log.answer(Number.getpid, .value, 4711)
          try guest.activate(for: .allThreads)
          let until = sharedMemory(of: Int32.self)
          let threads = Storm.threads.start(4, until: until)
          usleep(2_000)
          try guest.session.trap(module: "libc.so*")
          usleep(2_000)
          until.pointee = 1
          for thread in threads where thread.join() <= 0 { _exit(2) }
        }
        statuses[status, default: 0] += 1
      }
      check(statuses, [0: 20], "how often the children ended with which status")
    }
  }
}

/// Attaches a filter that allows everything, by the engine alone: why that was not to be had.
func attachWhileThreadsStandStill(_ patience: CordonPatience) -> CordonSilence {
  nativeCall(Number.prctl, 38, 1)  // PR_SET_NO_NEW_PRIVS
  var silence = CordonSilence()
  let allow: UInt64 = 0x7fff_0000 << 32 | 0x06  // BPF_RET, SECCOMP_RET_ALLOW
  let result = withUnsafePointer(to: allow) { cordon_seccomp_load_parked($0, 1, 1, patience, &silence) }
  check(result, 0, "the kernel's answer")
  return silence
}
