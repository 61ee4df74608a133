import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing
import TrapEngine

/// Which threads and children a session reaches. The kernel clears syscall user dispatch in every new one.
@Suite struct ArmedThreads {
  @Test(arguments: mechanisms)
  func `all threads: those that are there and those that come`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .getpid)
      guest.log.answer(Number.getpid, .value, 4711)
      let post = Signpost()
      let trapped: @Sendable () -> Int = { guest.call(Number.getpid) }
      let old = (0..<4).map { _ in
        TestThread {
          post.wait()
          return trapped()
        }
      }
      let parent = TestThread {
        post.wait()
        return TestThread { TestThread(trapped).join() }.join()
      }
      try guest.activate(for: .allThreads)
      check(trapped(), 4711, "in the caller")
      post.open()
      check(old.map { $0.join() }, [4711, 4711, 4711, 4711], "in threads from before activation")
      check(parent.join(), 4711, "in a thread made by a thread made by one of these")
      check((0..<4).map { _ in TestThread(trapped).join() }, [4711, 4711, 4711, 4711], "in new threads")
      check(guest.log.hooked, 10, "trapped calls")
    }
  }

  @Test(arguments: mechanisms)
  func `all threads: children of fork`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .getpid)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let getpid = guest.function(.getpid, as: (@convention(c) () -> Int).self)
      // The child itself, its child, and a thread of it.
      check(guest_fork_and_call(getpid, 4711), 0, "what was wrong in the children")
      check(guest.log.hooked, 3, "trapped calls")
      let inThread = TestThread { Int(guest_fork_and_call(getpid, 4711)) }
      check(inThread.join(), 0, "what was wrong in the children of a thread")
      check(guest.log.hooked, 6, "trapped calls")
    }
  }

  /// Children that trapped code makes are armed before they go on; they make children of their own.
  @Test(arguments: mechanisms)
  func `all threads: children of trapped code's children`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .getpid)
      try guest.activate(for: .allThreads)
      for depth in 1...3 {
        let before = guest.log.hooked
        let child = guest.call(Number.fork)
        if child == 0 {
          // In the child, down to the depth: fork and wait; at the bottom, a call.
          var below = depth
          while below > 0 {
            below -= 1
            let next = guest.call(Number.fork)
            if next == 0 { continue }
            var status: Int32 = -1
            waitpid(pid_t(next), &status, 0)
            _exit(status >> 8)
          }
          _exit(guest.call(Number.getpid) == Int(getpid()) ? 5 : 6)
        }
        var status: Int32 = -1
        check(waitpid(pid_t(child), &status, 0), pid_t(child), "waitpid")
        check(status, 5 << 8, "the status from the bottom")
        check(guest.log.hooked, before + depth + 2, "trapped calls")
      }
    }
  }

  @Test func `the calling thread, under seccomp: the threads it makes, and no other`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      let post = Signpost()
      let old = TestThread {
        post.wait()
        return guest.call(Number.getpid)
      }
      try guest.activate(for: .callingThread)
      post.open()
      check(old.join(), Int(getpid()), "in a thread from before")
      check(guest.log.hooked, 0, "trapped calls")
      check(TestThread { guest.call(Number.getpid) }.join(), 4711, "in a new thread")
      check(guest.call(Number.getpid), 4711, "in the caller")
      check(guest.log.hooked, 2, "trapped calls")
    }
  }

  @Test(arguments: mechanisms)
  func `the calling thread, under all mechanisms`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .callingThread)
      for round in 1...3 {
        check(guest.call(Number.getpid), 4711, "in the caller")
        check(guest.log.hooked, round, "trapped calls")
      }
    }
  }

  /// A selector of the thread's own: native code passes untested, and the guest traps when it is set back. The traps
  /// are this thread's, since no other is armed.
  @Test func `the selector lets native code pass`() async {
    guard mechanisms.contains("sud-selector") else { return }
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("sud-selector")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .callingThread)
      let parent = Int(getppid())
      for _ in 0..<3 {
        check(guest.call(Number.getpid), 4711, "the guest's call")
        let before = guest.session.statistics.traps
        for _ in 0..<100 { check(Int(getppid()), parent, "getppid by libc") }
        check(guest.session.statistics.traps, before + 100, "traps with the selector at block")
        guest.session.withSelectorAllowing {
          for _ in 0..<100 { check(Int(getppid()), parent, "getppid by libc") }
        }
        check(guest.session.statistics.traps, before + 100, "traps with the selector at allow")
        check(guest.session.selector?.state, .block, "the selector afterwards")
      }
      check(guest.log.hooked, 3, "trapped calls")
    }
  }

  /// The kernel does not queue a second request behind one that is pending: the first, given up, stands for both.
  @Test(arguments: mechanisms.filter { $0 != "seccomp" })
  func `a thread that answers a request late`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      nonisolated(unsafe) let id = sharedMemory(of: Int32.self)
      nonisolated(unsafe) let until = sharedMemory(of: Int32.self)
      let done = Signpost()
      let stuck = TestThread {
        id.pointee = gettid()
        let result = guest_wait_in_vfork(until)
        done.wait()
        return result == 0 ? guest.call(Number.getpid) : -1
      }
      while id.pointee == 0 { usleep(1000) }
      waitUntilBlocked(id.pointee, in: Number.vfork)
      #expect(throws: SessionError.threadNotArmed(id.pointee, .timedOut)) {
        try guest.session.activate(for: .allThreads)
      }
      // It gets to answering in the middle of the second attempt.
      let release = TestThread { [asking = gettid()] in
        waitUntilBlocked(asking, in: Number.futex)
        until.pointee = 1
        return 0
      }
      try guest.activate(for: .allThreads)
      done.open()
      check(stuck.join(), 4711, "that thread's call")
      release.join()
    }
  }

  /// Threads that wait in the kernel are interrupted to be armed. What waits without a time, or counts it down, goes on;
  /// what the kernel never restarts once a handler has run is told EINTR, and every program that uses it must expect that.
  @Test(arguments: mechanisms)
  func `what waits while it is armed, or stopped for a filter`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, options: mechanism == "seccomp" ? [.guardsSIGSYS] : [])
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      let poll = nativeCall(Number.epollCreate1, 0)
      let calls: [(number: Int, arguments: [Int], wanted: Int)] = [
        (Number.nanosleep, [holding(timespec(tv_sec: 3, tv_nsec: 0))], 0),
        (Number.futex, [holding(Int32(0)), 0, 0, holding(timespec(tv_sec: 3, tv_nsec: 0))], Int(-ETIMEDOUT)),
        (Number.poll, [0, 0, 3_000], 0),
        (Number.read, [Int(ends[0]), holding(0), 1], 1),
        (Number.epollWait, [poll, holding((0, 0)), 1, 60_000], Int(-EINTR)),
        (Number.ppoll, [0, 0, holding(timespec(tv_sec: 60, tv_nsec: 0)), 0, 8], Int(-EINTR)),
        (Number.pause, [], Int(-EINTR)),
      ]
      let threads = calls.map { call in
        nonisolated(unsafe) let id = sharedMemory(of: Int32.self)
        let arguments = call.arguments + [Int](repeating: 0, count: 6 - call.arguments.count)
        let thread = TestThread {
          id.pointee = gettid()
          return nativeCall(
            call.number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
        }
        while id.pointee == 0 { usleep(100) }
        waitUntilBlocked(id.pointee, in: call.number)
        return thread
      }
      try guest.activate(for: .allThreads)
      // As often as anybody asks, and also where they are asked again before they have gone on.
      _ = nativeCall(Number.prctl, 38, 1)  // PR_SET_NO_NEW_PRIVS
      for _ in 0..<30 {
        let silence = attachWhileThreadsStandStill(CordonPatience(silent_ms: 2_000, starved_ms: 30_000))
        check(Int(silence.error), 0, "what keeps a thread from standing still")
      }
      write(ends[1], "!", 1)
      for (call, thread) in zip(calls, threads) { check(thread.join(), call.wanted, "call \(call.number)") }
    }
  }
}

/// The address of a value that lives for ever.
private func holding<Value>(_ value: Value) -> Int {
  let memory = UnsafeMutablePointer<Value>.allocate(capacity: 1)
  memory.initialize(to: value)
  return Int(bitPattern: memory)
}
