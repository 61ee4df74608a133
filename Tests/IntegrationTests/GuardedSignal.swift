import Cordon
import Glibc
import GuestCode
import TestSupport
import Testing

/// Native code that would block SIGSYS, or take its handler away, before trapped code calls: by default the kernel kills
/// the process then, and with the option it goes on.
@Suite struct GuardedSignal {
  @Test(arguments: Danger.allCases)
  func `with the option the trapped call is answered`(_ danger: Danger) async {
    await #expect(processExitsWith: .success) { [danger = danger as Danger] in try danger.provoke([.guardsSIGSYS]) }
  }

  @Test(arguments: Danger.allCases)
  func `without it the process dies of the trap`(_ danger: Danger) async {
    await #expect(processExitsWith: .signal(danger.signal)) { [danger = danger as Danger] in try danger.provoke([]) }
  }

  /// What libc does with masks, handlers and clone goes on as it does natively.
  @Test(arguments: ["seccomp", "automatic"])
  func `threads, processes and masks of native code`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .getpid, options: [.guardsSIGSYS])
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      check(guest.session.choice?.mechanism, .seccomp, "the mechanism")
      #expect(guest.session.statistics.endangersPrograms)
      let before = guest.session.statistics.unasked
      for _ in 0..<20 { check(TestThread { guest.call(Number.getpid) }.join(), 4711, "a thread's call") }
      let function = guest.function(.getpid, as: (@convention(c) () -> Int).self)
      check(guest_fork_and_call(function, 4711), 0, "the children")
      var pid: pid_t = 0
      check(posix_spawn(&pid, "/bin/true", nil, nil, [nil], [nil]), 0, "posix_spawn")
      check(waitpid(pid, nil, 0), pid, "waitpid")
      var (set, old) = (sigset_t(), sigset_t())
      sigemptyset(&set)
      sigaddset(&set, SIGUSR1)
      sigaddset(&set, SIGSYS)
      check(sigprocmask(SIG_BLOCK, &set, nil), 0, "sigprocmask")
      check(sigprocmask(SIG_BLOCK, nil, &old), 0, "sigprocmask")
      check(sigismember(&old, SIGUSR1), 1, "SIGUSR1 is blocked")
      check(sigismember(&old, SIGSYS), 0, "SIGSYS is said to be open")
      check(sigprocmask(7, &set, nil), -1, "a way that there is not")
      #expect(guest.session.statistics.unasked > before, "libc's calls were passed through")
      let traps = guest.session.statistics.traps
      for _ in 0..<100 { _ = getppid() }
      check(guest.session.statistics.traps, traps, "all others do not trap")
    }
  }

  @Test(arguments: mechanisms.filter { $0 != "seccomp" })
  func `mechanisms that cannot trap by number say so`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      let named = try #require(Mechanism(rawValue: mechanism))
      #expect(throws: SessionError.inexpressible(named, reason: "it cannot trap calls by their numbers")) {
        try Session(mechanism: named, options: [.guardsSIGSYS])
      }
    }
  }
}

/// What native code can do to SIGSYS.
enum Danger: String, CaseIterable, Codable, Sendable {
  case blocks, setsMask, ignores, takesHandler, handlerMask, waitsInPpoll, waitsInPselect, suspends, clearsHandlers,
    smallStack

  /// Of what the process dies.
  var signal: Int32 { self == .smallStack ? SIGSEGV : SIGSYS }

  /// Has trapped code call after it.
  func provoke(_ options: Session.Options) throws {
    begin()
    let guest = try Guest("seccomp", options: options)
    guest.log.answer(Number.getpid, .value, 4711)
    try guest.activate(for: .allThreads)
    var set = sigset_t()
    sigfillset(&set)
    guest_signals().pointee.call = guest.function(.call, as: GuestCall.self)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = unsafeBitCast(
      UInt(guest_plain_signal_handler()), to: (@convention(c) (Int32) -> Void).self)
    switch self {
    case .blocks: pthread_sigmask(SIG_BLOCK, &set, nil)
    case .setsMask: pthread_sigmask(SIG_SETMASK, &set, nil)
    case .ignores: Glibc.signal(SIGSYS, SIG_IGN)
    case .takesHandler:
      Glibc.signal(SIGSYS, SIG_DFL)
    case .handlerMask:
      action.sa_mask = set
      sigaction(SIGUSR1, &action, nil)
      raise(SIGUSR1)
      check(delivery(SIGUSR1).answer, 4711, "the handler's call")
    case .waitsInPpoll, .waitsInPselect, .suspends:
      sigaction(SIGUSR1, &action, nil)
      sigdelset(&set, SIGUSR1)
      var only = sigset_t()
      sigemptyset(&only)
      sigaddset(&only, SIGUSR1)
      pthread_sigmask(SIG_BLOCK, &only, nil)
      raise(SIGUSR1)
      let result =
        switch self {
        case .waitsInPpoll: nativeCall(Number.ppoll, 0, 0, 0, guest.scratch.holding(set), 8)
        case .waitsInPselect: pselect(0, nil, nil, nil, nil, &set) < 0 ? -Int(errno) : 0
        default: sigsuspend(&set) < 0 ? -Int(errno) : 0
        }
      check(result, -Int(EINTR), "the wait")
      check(delivery(SIGUSR1).answer, 4711, "the handler's call")
    case .clearsHandlers:
      // CLONE_CLEAR_SIGHAND, exit signal SIGCHLD.
      let arguments: [UInt64] = [1 << 32, 0, 0, 0, UInt64(SIGCHLD), 0, 0, 0]
      let child = arguments.withUnsafeBytes { nativeCall(Number.clone3, Int(bitPattern: $0.baseAddress), $0.count) }
      if child == 0 { _exit(guest.call(Number.getpid) == 4711 ? 0 : 1) }
      var status: Int32 = -1
      check(waitpid(pid_t(child), &status, 0), pid_t(child), "waitpid")
      if status & 0x7f != 0 {
        Glibc.signal(status & 0x7f, SIG_DFL)
        raise(status & 0x7f)
      }
      check(status, 0, "the child")
    case .smallStack:
      useAlternateStack(size: 4096)
      action.sa_flags = SA_ONSTACK
      sigaction(SIGUSR1, &action, nil)
      raise(SIGUSR1)
      check(delivery(SIGUSR1).answer, 4711, "the handler's call")
    }
    check(guest.call(Number.getpid), 4711, "the next trapped call")
  }
}
