import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing
import TrapEngine

/// Alternate signal stacks of a size that the kernel takes, but which does not hold a frame of the guest's own and one of
/// a trap on top of it. The guest is told what it has asked for.
@Suite struct SmallStacks {
  /// Three handlers on top of each other, each of which makes trapped calls: with AVX-512 that is 14 KB of frames.
  @Test(arguments: mechanisms, [2048, 8192])
  func `handlers on it make trapped calls`(_ mechanism: String, _ size: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, size = size as Int] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 16)
      for flags in [0, autodisarm] {
        check(guest.setStack(stack_t(ss_sp: memory, ss_flags: flags, ss_size: size)), 0, "sigaltstack")
        guest_signals().pointee.raises.10 = SIGUSR2  // SIGUSR1
        guest_signals().pointee.raises.12 = SIGHUP  // SIGUSR2
        guest_signals().pointee.clobbers = 1
        for signal in [SIGUSR1, SIGUSR2, SIGHUP] {
          check(guest.setAction(signal, guest.handler(flags: KernelAction.onStack)).result, 0, "rt_sigaction")
        }
        let before = delivery(SIGHUP).count
        for _ in 0..<20 { guest.raise(SIGUSR1) }
        for signal in [SIGUSR1, SIGUSR2, SIGHUP] {
          check(delivery(signal).count, before + 20, "deliveries of \(signal)")
          check(delivery(signal).answer, Int64(getpid()), "the handler's trapped call")
        }
        let asked = guest.stack()
        check(asked.start, UInt(bitPattern: memory), "its place")
        check([asked.size, Int(asked.flags)], [size, Int(flags)], "its size and flags")
      }
    }
  }

  @Test(arguments: mechanisms)
  func `asked for, replaced and given up`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let memory = (0..<3).map { _ in UnsafeMutableRawPointer.allocate(byteCount: 65536, alignment: 16) }
      // Small, small elsewhere, large, small again, and none.
      for (index, size) in [2048, 4096, 65536, 2048, 0].enumerated() {
        let before = guest.stack()
        let place = size == 0 ? nil : memory[index % 3]
        let wanted = stack_t(ss_sp: place, ss_flags: size == 0 ? Int32(SS_DISABLE) : 0, ss_size: size)
        let new = guest.scratch.holding(wanted, at: 128)
        check(guest.call(Number.sigaltstack, new, Int(bitPattern: guest.scratch + 64)), 0, "setting \(size) bytes")
        let told = guest.scratch.read(stack_t.self, at: 64)
        check([told.ss_size, Int(told.ss_flags)], [before.size, Int(before.flags)], "what setting replaced")
        check(UInt(bitPattern: told.ss_sp), before.start, "its place")
        let asked = guest.stack()
        check(asked.start, UInt(bitPattern: place), "the place of \(size) bytes")
        check([asked.size, Int(asked.flags)], [size, size == 0 ? Int(SS_DISABLE) : 0], "its size and flags")
      }
    }
  }

  @Test(arguments: mechanisms)
  func `bad arguments are answered as the kernel answers them`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 16)
      check(guest.setStack(stack_t(ss_sp: memory, ss_flags: 0, ss_size: 4096)), 0, "sigaltstack")
      check(
        guest.setStack(stack_t(ss_sp: memory, ss_flags: 0, ss_size: 2047)), Int(-ENOMEM), "too small for the kernel")
      check(guest.setStack(stack_t(ss_sp: memory, ss_flags: 7, ss_size: 4096)), Int(-EINVAL), "flags that are none")
      let full = guest.scratch.holding(stack_t(ss_sp: memory, ss_flags: 0, ss_size: 2048))
      check(guest.call(Number.sigaltstack, 8, 0), Int(-EFAULT), "a bad pointer")
      check(guest.call(Number.sigaltstack, 0, 8), Int(-EFAULT), "a bad pointer for the old one")
      check(guest.call(Number.sigaltstack, full, 8), Int(-EFAULT), "a bad pointer for the old one, and a new one")
      guest_signals().pointee.asks_for_stack = 1
      check(guest.setAction(SIGUSR1, guest.handler(flags: KernelAction.onStack)).result, 0, "rt_sigaction")
      guest.raise(SIGUSR1)
      check(guest_signals().pointee.stack_flags, Int32(SS_ONSTACK), "the flags while in use")
      check(guest_signals().pointee.replacement, Int64(-EPERM), "replacing it while in use")
    }
  }

  /// rt_sigreturn puts the older stack back in place, and what the guest knows of it.
  @Test(arguments: mechanisms)
  func `a handler on the thread's own stack replaces it, and returns`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 16)
      check(guest.setStack(stack_t(ss_sp: memory, ss_flags: 0, ss_size: 4096)), 0, "sigaltstack")
      guest_signals().pointee.asks_for_stack = 1
      check(guest.setAction(SIGUSR1, guest.handler()).result, 0, "rt_sigaction")
      for _ in 0..<5 {
        guest.raise(SIGUSR1)
        check(guest_signals().pointee.replacement, 0, "giving it up in the handler")
        check(guest.stack().start, UInt(bitPattern: memory), "the place afterwards")
        check(guest.stack().size, 4096, "the size afterwards")
      }
    }
  }

  /// A handler of SIGSYS finds its own stack in its frame.
  @Test(arguments: mechanisms)
  func `the frame of the guest's SIGSYS`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 16)
      check(guest.setStack(stack_t(ss_sp: memory, ss_flags: 0, ss_size: 4096)), 0, "sigaltstack")
      check(guest.setAction(SIGSYS, guest.handler(flags: KernelAction.onStack)).result, 0, "rt_sigaction")
      guest.raise(SIGSYS)
      check(delivery(SIGSYS).stack_start, UInt64(UInt(bitPattern: memory)), "its place")
      check(delivery(SIGSYS).stack_size, 4096, "its size")
      check(guest.stack().start, UInt(bitPattern: memory), "its place afterwards")
    }
  }

  /// The stack is the program's from before: the first trap finds it enlarged, and a refused activation leaves it alone.
  @Test(arguments: mechanisms)
  func `set before activation`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      let own = useAlternateStack(size: 2048)
      try guest.activate(for: .callingThread)
      check(guest.stack().start, UInt(own.start), "its place")
      check(guest.setAction(SIGUSR1, guest.handler(flags: KernelAction.onStack)).result, 0, "rt_sigaction")
      guest.raise(SIGUSR1)
      check(delivery(SIGUSR1).answer, Int64(getpid()), "the handler's trapped call")
    }
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      let own = useAlternateStack(size: 2048)
      check(nativeCall(Number.prctl, 38, 1), 0, "no_new_privs")
      check(GuestFilter(refusing: Number.seccomp, with: EPERM).load(), 0, "a filter that refuses others")
      expectRefusal(.filterRefused(.notPermitted), of: guest.session)
      var found = stack_t()
      sigaltstack(nil, &found)
      check(Int(bitPattern: found.ss_sp), own.start, "its place after the refusal")
      check(found.ss_size, 2048, "its size after the refusal")
    }
  }

  @Test(arguments: mechanisms, [Number.fork, Number.vfork])
  func `children have it too`(_ mechanism: String, _ number: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, number = number as Int] in
      begin()
      let guest = try Guest(mechanism, .child)
      try guest.activate(for: .allThreads)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 16)
      check(guest.setStack(stack_t(ss_sp: memory, ss_flags: 0, ss_size: 2048)), 0, "sigaltstack")
      for _ in 0..<3 {
        let child = sharedMemory(of: GuestChild.self)
        child.pointee.number = UInt64(number)
        let pid = guest.function(.child, as: GuestFunction.self)(child)
        var status: Int32 = -1
        check(Int(waitpid(pid_t(pid), &status, 0)), pid, "waitpid")
        check(status, 0, "the child's wait status")
        check(child.pointee.done, 0x600d, "the child's mark")
        check(guest.stack().start, UInt(bitPattern: memory), "the parent's stack")
      }
      let pid = guest.call(Number.fork)
      if pid == 0 {
        let asked = guest.stack()
        let other = stack_t(ss_sp: memory, ss_flags: 0, ss_size: 4096)
        let ok = asked.size == 2048 && guest.setStack(other) == 0 && guest.stack().size == 4096
        _exit(ok ? 5 : 6)
      }
      var status: Int32 = -1
      waitpid(pid_t(pid), &status, 0)
      check(status, 5 << 8, "the child that replaces it")
      check(guest.stack().size, 2048, "the parent's size")
    }
  }

  /// Threads come and go with stacks of their own: what they were given is used again.
  @Test(arguments: mechanisms)
  func `threads leave nothing behind`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let body: @Sendable (Bool) -> Int = { givesUp in
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 16)
        let own = Threaded(guest)
        var wrong = own.setStack(stack_t(ss_sp: memory, ss_flags: 0, ss_size: 2048)) == 0 ? 0 : 1
        for _ in 0..<3 { wrong += guest.call(Number.getpid) == Int(getpid()) ? 0 : 1 }
        if givesUp { wrong += own.setStack(stack_t(ss_sp: nil, ss_flags: Int32(SS_DISABLE), ss_size: 0)) == 0 ? 0 : 1 }
        return wrong
      }
      var mappings = 0
      for round in 0..<60 {
        let wrong = (0..<8).map { index in TestThread { body(index % 2 == 0) } }.map { $0.join() }
        check(wrong, [Int](repeating: 0, count: 8), "what was wrong in round \(round)")
        if round == 9 { mappings = linesOfFile("/proc/self/maps").count }
      }
      let grown = linesOfFile("/proc/self/maps").count - mappings
      #expect(grown < 100, "mappings of 400 more threads: \(grown)")
    }
  }

  /// musl's threads unmap the stack they run on, and Go's let others have it; the call that follows, exit, traps. (The
  /// threads are native code's, by a bare clone, so syscall user dispatch does not reach them.)
  @Test(arguments: [GuestTemplate.unmapping.rawValue, GuestTemplate.stackless.rawValue])
  func `threads that exit without a stack`(_ which: UInt32) async {
    await #expect(processExitsWith: .success) { [which = which as UInt32] in
      begin()
      let template = try #require(GuestTemplate(rawValue: which))
      let guest = try Guest("seccomp", template)
      try guest.activate(for: .allThreads)
      for round in 1...30 {
        let size = 8 * 1024  // holds the frame of a trap, and not much more
        let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let state = sharedMemory(of: GuestThread.self)
        state.pointee = GuestThread()
        state.pointee.stack = UInt64(UInt(bitPattern: start))
        state.pointee.size = UInt64(size)
        state.pointee.count = 5
        state.pointee.alternate_flags = Int32(SS_DISABLE)
        let alive = sharedMemory(of: Int32.self)
        alive.pointee = -1
        var all = sigset_t()
        var old = sigset_t()
        sigfillset(&all)
        sigdelset(&all, SIGSYS)
        pthread_sigmask(SIG_SETMASK, &all, &old)
        let thread = guest_bare_thread(
          guest.address(template), state, state.pointee.stack + UInt64(size) - 256, alive)
        pthread_sigmask(SIG_SETMASK, &old, nil)
        #expect(thread > 0)
        if template == .stackless {
          while state.pointee.stage != 1 { usleep(100) }
          munmap(start, size)
          state.pointee.stage = 2
        }
        while alive.pointee != 0 { usleep(100) }
        check(guest.log.calls(Number.exit), round, "trapped exits")
      }
      check(guest.call(Number.getpid), Int(getpid()), "the process goes on")
    }
  }
}

/// SS_AUTODISARM, which Glibc's module does not have.
private let autodisarm = Int32.min

extension Guest {
  /// sigaltstack(2) by trapped code.
  func setStack(_ stack: stack_t) -> Int { call(Number.sigaltstack, scratch.holding(stack)) }
}

/// What a thread needs of its own to make the guest's calls.
private struct Threaded {
  let guest: Guest
  private let scratch = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)

  init(_ guest: Guest) { self.guest = guest }
  func setStack(_ stack: stack_t) -> Int { guest.call(Number.sigaltstack, scratch.holding(stack)) }
}
