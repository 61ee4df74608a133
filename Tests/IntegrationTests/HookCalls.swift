import Cordon
import Glibc
import GuestCode
import Synchronization
import Testing

/// Hooks that do more than answer.
@Suite struct HookCalls {
  @Test(arguments: mechanisms)
  func `a C hook whose own calls trap`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .getpid, hook: guest_nesting_hook)
      guest.log.raw.pointee.nested = guest.function(.getpid, as: (@convention(c) () -> Int).self)
      guest.log.raw.pointee.bound = 7
      try guest.activate(for: .allThreads)
      check(guest.call(Number.getppid), Int(getppid()), "the outer call")
      check(guest.log.calls(Number.getppid), 1, "outer calls")
      check(guest.log.calls(Number.getpid), 7, "nested calls")
      check(guest.log.raw.pointee.deepest, 7, "how deep they went")
      check(guest.log.raw.pointee.depth, 0, "how deep they are")
    }
  }

  @Test(arguments: mechanisms, [false, true])
  func `a C hook that calls libc`(_ mechanism: String, defaultTraps: Bool) async {
    // Inclusive dispatch has one range, which cannot hold everything but the gate.
    if defaultTraps && mechanism == Mechanism.sudInclusive.rawValue { return }
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, defaultTraps = defaultTraps as Bool] in
      begin()
      let guest = try Guest(mechanism, default: defaultTraps ? .trap : .allow, hook: guest_libc_hook)
      guest.log.raw.pointee.guest_start = guest.address(.call)
      guest.log.raw.pointee.guest_end = guest.region(.call).range.end
      try guest.activate(for: .allThreads)
      for round in 1...10 {
        check(guest.call(Number.getpid), 3, "what of the hook's own calls went right")
        check(guest.log.hooked, round, "trapped calls of the guest")
      }
      if defaultTraps { #expect(guest.log.raw.pointee.outside >= 60, "libc's calls trapped too") }
    }
  }

  @Test(arguments: mechanisms)
  func `a Swift closure whose own calls trap`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let outer = try session.mapExecutable(GuestTemplate.call.code)
      let inner = try session.mapExecutable(GuestTemplate.getpid.code)
      let seen = Mutex<[String]>([])
      try session.setHook(
        TrapHook { trap in
          let line = "\(trap.number) in \(trap.region?.index ?? -1) from \(trap.instructionAddress)"
          let depth = seen.withLock { lines in
            lines.append(line)
            return lines.count
          }
          if depth < 4 { return .value(call(inner.range.start) + 1) }
          // From libc, and by the runtime.
          let made = (0..<100).map { "\($0) \(getppid())" }.joined()
          return made.count > 200 ? .pass : .value(-1)
        })
      try session.activate(for: .allThreads)
      let site =
        outer.range.start + UInt64(try #require(GuestTemplate.call.code.firstRange(of: [0x0f, 0x05])).lowerBound)
      let function = unsafeBitCast(UInt(outer.range.start), to: GuestCall.self)
      check(function(Number.getpid, 42, 0, 0, 0, 0, 0), Int(getpid()) + 3, "three values on top of one that passed")
      check(
        seen.withLock { $0 },
        ["39 in 0 from \(site)"] + [String](repeating: "39 in 1 from \(inner.range.start + 5)", count: 3),
        "what it saw")
      check(Int(session.statistics.hooked), 4, "trapped calls")
      check(Int(session.statistics.passed - session.statistics.unasked), 1, "passed by the hook")
    }
  }

  @Test(arguments: mechanisms)
  func `a hook that makes the call another, and passes it`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, hook: guest_rewriting_hook)
      try guest.activate(for: .allThreads)
      check(guest.call(Number.getuid), Int(getpid()), "getuid, made getpid")
      check(guest.call(Number.kill, 0, 0, Int(getpid())), 0, "kill(0, 0), made kill of this process")
      check(guest.call(Number.kill, 0, 0, 0x7fff_fff0), Int(-ESRCH), "kill(0, 0), made kill of nobody")
      // It is given the care of the call that it has become.
      let full = guest.scratch.holding(UInt64.max)
      check(guest.call(Number.schedYield, Int(SIG_SETMASK), full, 0, 8), 0, "sched_yield, made rt_sigprocmask")
      check(currentMask(), everySignal & ~keptOpen(), "the mask after it")
      check(guest.call(Number.getuid), Int(getpid()), "the next trap")
      check(guest.log.hooked, 5, "trapped calls")
    }
  }

  /// All of libc traps, posix_spawn's child among it, which borrows this process's memory. The new program is free:
  /// dispatch ends with exec. (A filter does not, so this is not for seccomp.)
  @Test(arguments: mechanisms.filter { $0 == "sud-exclusive" || $0 == "sud-selector" })
  func `posix_spawn by trapped code`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, default: .trap)
      try guest.activate(for: .allThreads)
      for round in 1...20 {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var pid: pid_t = 0
        let words: [UnsafeMutablePointer<CChar>?] = [strdup("echo"), strdup("round \(round)"), nil]
        check(posix_spawn(&pid, "/bin/echo", &actions, nil, words, [nil]), 0, "posix_spawn")
        posix_spawn_file_actions_destroy(&actions)
        close(ends[1])
        var text = [UInt8](repeating: 0, count: 64)
        let count = read(ends[0], &text, text.count)
        close(ends[0])
        check(String(decoding: text.prefix(max(count, 0)), as: UTF8.self), "round \(round)\n", "what it wrote")
        var status: Int32 = -1
        check(waitpid(pid, &status, 0), pid, "waitpid")
        check(status, 0, "its wait status")
      }
      #expect(guest.log.calls(Number.clone) + guest.log.calls(Number.clone3) >= 20, "the spawns were trapped")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }

  /// No thread-local storage is touched: the FS base points nowhere.
  @Test(arguments: mechanisms)
  func `arch_prctl takes the FS base away`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .withoutTLS)
      try guest.activate(for: .allThreads)
      let answers = UnsafeMutablePointer<Int>.allocate(capacity: 3)
      answers.initialize(repeating: -1, count: 3)
      let function = guest.function(.withoutTLS, as: (@convention(c) (Int, UnsafeMutablePointer<Int>) -> Int).self)
      check(function(0x1000, answers), 0, "putting it back")
      check([answers[0], answers[1], answers[2]], [0, Int(getpid()), 0x1000], "what the calls without it answered")
      check(guest.log.calls(Number.archPrctl), 4, "arch_prctl in the hook")
      check(guest.log.calls(Number.getpid), 1, "getpid in the hook")
    }
  }
}
