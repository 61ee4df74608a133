import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing
import TrapEngine

/// What may happen to a process while its threads are asked to stand still, and while they do.
@Suite struct StandingStill {
  /// Its handler would run while the filter is attached, with SIGSYS blocked perhaps, as here. It runs before or after.
  @Test func `a signal for a thread that stands still`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp", options: [.guardsSIGSYS])
      guest.log.answer(Number.getpid, .value, 4711)
      var action = sigaction()
      action.__sigaction_handler.sa_handler = unsafeBitCast(
        UInt(guest_blocking_signal_handler()), to: (@convention(c) (Int32) -> Void).self)
      check(sigaction(SIGUSR1, &action, nil), 0, "sigaction")
      let standing = CallingThread(guest)
      // Keeps it standing still until its handler runs.
      let keeping = BlockingThread {
        waitUntilBlocked(standing.id, in: Number.futex)
        nativeCall(Number.tgkill, Int(getpid()), Int(standing.id), Int(SIGUSR1))
        while delivery(SIGUSR1).count == 0 { usleep(100) }
      }
      try guest.activate(for: .allThreads)
      check([standing.call(), keeping.thread.join()], [4711, 0], "what they end with")
      check(delivery(SIGUSR1).count, 1, "how often the handler has run")
    }
  }

  /// One stands still that has what another one waits for, which cannot be asked meanwhile: that one goes on for a while, at
  /// a stretch that gets longer.
  @Test func `a thread that waits for one that stands still`() async {
    await #expect(processExitsWith: .success) {
      begin()
      _ = try Session()
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      let isStanding = Signpost()
      let holding = IdentifiedThread { [end = ends[1]] in
        while !isStanding.isOpen {}
        while !goesOn(milliseconds: 150) {}
        return write(end, "!", 1)
      }
      let waiting = BlockingThread { [end = ends[0]] in
        var byte: UInt8 = 0
        check(read(end, &byte, 1), 1, "what it waits for")
      }
      waitUntilBlocked(waiting.id, in: Number.read)
      let watching = BlockingThread {
        waitUntilBlocked(holding.id, in: Number.futex)
        isStanding.open()
      }
      let silence = attachWhileThreadsStandStill(CordonPatience(silent_ms: 200_000, starved_ms: 200_000))
      check([Int(silence.thread), silence.error], [0, 0], "who has not answered, and why")
      for thread in [holding.thread, waiting.thread, watching.thread] { thread.join() }
    }
  }

  /// The kernel leaves a thread out of a list from which another one vanishes while it is read. Here a filter has the list
  /// be empty.
  @Test func `a list that lacks threads`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp", options: [.guardsSIGSYS])
      guest.log.answer(Number.getpid, .value, 4711)
      let getdents = 217
      let asking = TestThread {
        nativeCall(Number.prctl, 38, 1)  // PR_SET_NO_NEW_PRIVS
        check(GuestFilter(refusing: getdents, with: 0).load(), 0, "the filter")
        do throws(SessionError) {
          try guest.session.activate(for: .allThreads)
          return 1
        } catch {
          check(error, .threadsNotListed(.resourceTemporarilyUnavailable), "the error")
          return 0
        }
      }
      check(asking.join(), 0, "whether it is refused")
      #expect(!guest.session.isActive && !ProcessState().isInstalled)
      try guest.activate(for: .allThreads)
      check(guest.call(Number.getpid), 4711, "a trapped call")
    }
  }

  /// The kernel attaches a filter to a thread that a debugger holds; but that does not answer.
  @Test func `filters while a debugger holds a thread`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      let held = CallingThread(guest)
      guard let debugger = debugger(holding: held.id) else { return }
      try guest.activate(for: .allThreads)
      let last = try HighPages(30).trapAllButLast(in: guest.session)
      expectNoChange(of: guest, .threadNotStopped(held.id, .timedOut)) { () throws(SessionError) in
        try guest.session.trap(last)
      }
      debugger.end()
      try guest.session.trap(last)
      check(guest.session.statistics.filters, 25, "filters")
      check(held.call(), 4711, "its call")
    }
  }

  /// Dispatch each thread arms for itself.
  @Test(arguments: mechanisms.filter { $0 != "seccomp" && $0 != "automatic" })
  func `dispatch while a debugger holds a thread`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      let held = CallingThread(guest)
      guard let debugger = debugger(holding: held.id) else { return }
      #expect(throws: SessionError.threadNotArmed(held.id, .timedOut)) {
        try guest.session.activate(for: .allThreads)
      }
      #expect(!guest.session.isActive && !ProcessState().isInstalled)
      check(guest.call(Number.getpid), Int(getpid()), "the region's call")
      debugger.end()
      try guest.activate(for: .allThreads)
      check(held.call(), 4711, "its call")
    }
  }
}

/// A thread that has the signal blocked by which it is asked, until `body` is over.
private struct BlockingThread {
  let id: Int32
  let thread: TestThread

  init(until body: @escaping @Sendable () -> Void) {
    let isBlocking = Signpost()
    let identified = IdentifiedThread {
      setSignalMask(bit(Int32(CORDON_REQUEST_SIGNAL)))
      isBlocking.open()
      body()
      setSignalMask(0)
      return 0
    }
    isBlocking.wait()
    (id, thread) = (identified.id, identified.thread)
  }
}

/// A thread that makes a trapped call once it is told to.
private struct CallingThread {
  private let goOn = Signpost()
  private let identified: IdentifiedThread

  init(_ guest: Guest) {
    identified = IdentifiedThread { [goOn] in
      goOn.wait()
      return guest.call(Number.getpid)
    }
  }

  var id: Int32 { identified.id }

  /// The call's result.
  func call() -> Int {
    goOn.open()
    return identified.thread.join()
  }
}

/// Has the calling thread go on for so long; whether it has not waited for anything meanwhile, as one does that stands still.
private func goesOn(milliseconds: Int) -> Bool {
  var (start, now) = (timespec(), timespec())
  clock_gettime(CLOCK_MONOTONIC, &start)
  let waits = voluntaryWaits()
  repeat {
    clock_gettime(CLOCK_MONOTONIC, &now)
  } while (now.tv_sec - start.tv_sec) * 1_000 + (now.tv_nsec - start.tv_nsec) / 1_000_000 < milliseconds
  return voluntaryWaits() == waits
}

/// How often the calling thread has waited.
private func voluntaryWaits() -> Int {
  var usage = rusage()
  let (getrusage, ofThread) = (98, 1)
  withUnsafeMutablePointer(to: &usage) { _ = nativeCall(getrusage, ofThread, Int(bitPattern: $0)) }
  return usage.ru_nvcsw
}

/// Another process that holds a thread of this one as a debugger does, until it ends; nil where this user may not.
private func debugger(holding thread: Int32) -> OtherProcess? {
  let (ptrace, seize, interrupt, everyThread) = (101, 0x4206, 0x4207, Int32(0x4000_0000))
  nativeCall(Number.prctl, 0x5961_6d61, -1)  // PR_SET_PTRACER: whoever wants to, where Yama is
  return OtherProcess(elseSay: "a thread that a debugger holds is not tested here, since this user may not trace it") {
    var status: Int32 = 0
    return nativeCall(ptrace, seize, Int(thread)) == 0 && nativeCall(ptrace, interrupt, Int(thread)) == 0
      && waitpid(thread, &status, everyThread) == thread
  } goesOn: {
    usleep(1_000) == 0
  }
}
