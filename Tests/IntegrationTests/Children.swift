import Cordon
import Glibc
import GuestCode
import Testing

/// What the template `child` does, and what must be so afterwards whatever made it.
private func checkChild(_ child: UnsafeMutablePointer<GuestChild>, pid: Int, thread: Int, parent: Int) {
  let answers = child.pointee.answers
  check(child.pointee.done, 0x600d, "the child's mark")
  check(Int(answers.0), pid, "getpid in the child")
  check(Int(answers.1), thread, "gettid in the child")
  check(Int(answers.2), parent, "getppid in the child")
  check(Int(answers.3), Int(getuid()), "getuid in the child")
  check(Int(answers.4), Int(getgid()), "getgid in the child")
  check(Int(answers.5), 0, "sched_yield in the child")
  let registers = child.pointee.registers
  check(
    [registers.0, registers.1, registers.2, registers.3], [0x1111, 0x3333, 0x4444, 0x5555], "the parent's registers")
}

/// The call that makes the child, the child's six, and its exit.
private let callsOfOneChild = 8

private func reap(_ pid: Int, flags: Int32 = 0, status wanted: Int32) {
  var status: Int32 = -1
  check(Int(waitpid(pid_t(pid), &status, flags)), pid, "waitpid")
  check(status, wanted << 8, "the child's wait status")
}

/// A stack of its own for a child: its lowest address, and the size.
private func newStack(_ size: Int = 64 * 1024) -> (start: Int, size: Int) {
  let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  return (Int(bitPattern: start), size)
}

private let cloneVM = 0x100
private let threadFlags = 0x350f00  // VM FS FILES SIGHAND THREAD SYSVSEM PARENT_SETTID CHILD_CLEARTID; see below

@Suite struct Children {
  /// The child borrows the parent's stack and mask, and overwrites what lies below: the parent finds its own all the same.
  @Test(arguments: mechanisms, [false, true])
  func `vfork by trapped code`(_ mechanism: String, onAlternateStack: Bool) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, onAlternateStack = onAlternateStack as Bool] in
      begin()
      let guest = try Guest(mechanism, .child)
      if onAlternateStack { useAlternateStack() }
      try guest.activate(for: .allThreads)
      for round in 1...3 {
        let child = sharedMemory(of: GuestChild.self)
        child.pointee.number = UInt64(Number.vfork)
        child.pointee.status = 7
        let pid = guest.function(.child, as: GuestFunction.self)(child)
        #expect(pid > 0)
        check(Int(child.pointee.made), pid, "what the parent saw")
        checkChild(child, pid: pid, thread: pid, parent: Int(getpid()))
        reap(pid, status: 7)
        check(guest.log.hooked, callsOfOneChild * round, "trapped calls")
      }
      check(guest.log.calls(Number.vfork), 3, "vfork in the hook")
      check(guest.log.calls(Number.exit), 3, "exit in the hook")
      check(guest.call(Number.getpid), Int(getpid()), "the parent goes on")
    }
  }

  @Test(arguments: mechanisms, [Number.fork, Number.clone])
  func `fork by trapped code`(_ mechanism: String, _ number: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, number = number as Int] in
      begin()
      let guest = try Guest(mechanism, .child)
      try guest.activate(for: .allThreads)
      let child = sharedMemory(of: GuestChild.self)
      child.pointee.number = UInt64(number)
      child.pointee.arguments.0 = UInt64(number == Number.clone ? SIGCHLD : 0)
      child.pointee.status = 9
      let pid = guest.function(.child, as: GuestFunction.self)(child)
      #expect(pid > 0)
      reap(pid, status: 9)
      checkChild(child, pid: pid, thread: pid, parent: Int(getpid()))
      check(guest.log.hooked, callsOfOneChild, "trapped calls, the child's among them")
      check(guest.log.calls(number), 1, "the making call")
    }
  }

  /// Both sides of a fork go on with every register, the flags and the red zone as they were.
  @Test(arguments: mechanisms)
  func `a forked child's registers`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .registers)
      try guest.activate(for: .allThreads)
      for flags in RegisterPatterns.flags {
        // Not shared: each side has its own.
        let registers = UnsafeMutablePointer<GuestRegisters>.allocate(capacity: 1)
        registers.initialize(to: GuestRegisters())
        registers.pointee.before = RegisterPatterns.file(flags: flags, number: Number.fork)
        let pid = guest.function(.registers, as: GuestFunction.self)(registers)
        if pid == 0 { _exit(differences(registers.pointee, except: ["rax", "rcx", "r11"]).isEmpty ? 5 : 6) }
        #expect(pid > 0)
        reap(pid, status: 5)
        checkUnchanged(registers.pointee, except: ["rax", "rcx", "r11"])
        check(registers.pointee.after.rcx, registers.pointee.before.rip, "RCX")
      }
    }
  }

  @Test(arguments: mechanisms, [Number.clone, Number.clone3])
  func `a process with a new stack in the same memory`(_ mechanism: String, _ number: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, number = number as Int] in
      begin()
      let guest = try Guest(mechanism, .child)
      try guest.activate(for: .allThreads)
      let child = sharedMemory(of: GuestChild.self)
      let stack = newStack()
      setUp(child, number, flags: cloneVM, signal: Int(SIGCHLD), stack: stack)
      child.pointee.status = 11
      let pid = guest.function(.child, as: GuestFunction.self)(child)
      #expect(pid > 0)
      reap(pid, status: 11)
      checkChild(child, pid: pid, thread: pid, parent: Int(getpid()))
      check(guest.log.hooked, callsOfOneChild, "trapped calls")
    }
  }

  /// Made and ended by trapped code: its calls trap, and its end is its own.
  @Test(arguments: mechanisms, [Number.clone, Number.clone3])
  func `a thread with a new stack, and its exit`(_ mechanism: String, _ number: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, number = number as Int] in
      begin()
      let guest = try Guest(mechanism, .child)
      try guest.activate(for: .allThreads)
      for round in 1...20 {
        let child = sharedMemory(of: GuestChild.self)
        let stack = newStack()
        setUp(child, number, flags: threadFlags, signal: 0, stack: stack)
        child.pointee.thread = -1
        let thread = guest.function(.child, as: GuestFunction.self)(child)
        #expect(thread > 0)
        while child.pointee.thread != 0 { usleep(1000) }  // CLONE_CHILD_CLEARTID
        checkChild(child, pid: Int(getpid()), thread: thread, parent: Int(getppid()))
        while access("/proc/self/task/\(thread)", F_OK) == 0 { usleep(1000) }
        munmap(UnsafeMutableRawPointer(bitPattern: stack.start), stack.size)
        check(guest.log.hooked, callsOfOneChild * round, "trapped calls")
      }
      check(guest.call(Number.getpid), Int(getpid()), "the process goes on")
    }
  }

  /// At once, on stacks that hold little more than what the child writes and one signal frame.
  @Test(arguments: mechanisms, [Number.clone, Number.clone3])
  func `64 threads with small stacks`(_ mechanism: String, _ number: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, number = number as Int] in
      begin()
      let guest = try Guest(mechanism, .child)
      try guest.activate(for: .allThreads)
      let count = 64
      let make = guest.function(.child, as: GuestFunction.self)
      let children = (0..<count).map { _ in
        let child = sharedMemory(of: GuestChild.self)
        setUp(child, number, flags: threadFlags, signal: 0, stack: newStack(16 * 1024))
        child.pointee.thread = -1
        return (child, make(child))
      }
      for (child, thread) in children {
        #expect(thread > 0)
        while child.pointee.thread != 0 { usleep(1000) }
        checkChild(child, pid: Int(getpid()), thread: thread, parent: Int(getppid()))
      }
      check(guest.log.hooked, callsOfOneChild * count, "trapped calls")
      for (_, thread) in children {
        while access("/proc/self/task/\(thread)", F_OK) == 0 { usleep(1000) }
      }
    }
  }

  /// exit(2) by trapped code in a thread of pthread_create's: joinable as ever, and the process lives on.
  @Test(arguments: mechanisms)
  func `exit of one thread`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .leave)
      try guest.activate(for: .allThreads)
      let leave = UnsafeMutableRawPointer(bitPattern: UInt(guest.address(.leave)))
      for round in 1...20 {
        var thread = pthread_t()
        let made = pthread_create(
          &thread, nil,
          { code in
            _ = unsafeBitCast(code, to: (@convention(c) (Int) -> Int).self)(3)
            return nil
          }, leave)
        check(made, 0, "pthread_create")
        check(pthread_join(thread, nil), 0, "pthread_join")
        check(guest.log.calls(Number.exit), round, "exit in the hook")
      }
      check(guest.call(Number.getpid), Int(getpid()), "the process goes on")
    }
  }

  /// The child of clone3(CLONE_CLEAR_SIGHAND) has the filter and has lost the handler.
  @Test(arguments: mechanisms)
  func `a child without signal handlers`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .child)
      try guest.activate(for: .allThreads)
      let child = sharedMemory(of: GuestChild.self)
      setUp(child, Number.clone3, flags: 0x1_0000_0000, signal: Int(SIGCHLD), stack: nil)
      child.pointee.status = 13
      let pid = guest.function(.child, as: GuestFunction.self)(child)
      #expect(pid > 0)
      reap(pid, status: 13)
      checkChild(child, pid: pid, thread: pid, parent: Int(getpid()))
      check(guest.log.hooked, callsOfOneChild, "trapped calls")
    }
  }
}

/// The arguments of clone or clone3.
private func setUp(
  _ child: UnsafeMutablePointer<GuestChild>, _ number: Int, flags: Int, signal: Int, stack: (start: Int, size: Int)?
) {
  child.pointee.number = UInt64(number)
  let thread = Int(bitPattern: child) + MemoryLayout<GuestChild>.offset(of: \.thread)!
  if number == Number.clone {
    child.pointee.arguments.0 = UInt64(flags | signal)
    child.pointee.arguments.1 = stack.map { UInt64($0.start + $0.size) } ?? 0
    child.pointee.arguments.2 = UInt64(thread)  // parent's
    child.pointee.arguments.3 = UInt64(thread)  // child's
  } else {
    // struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, and three that are 0.
    let arguments = UnsafeMutablePointer<Int>.allocate(capacity: 11)
    arguments.initialize(repeating: 0, count: 11)
    arguments[0] = flags
    arguments[2] = thread
    arguments[3] = thread
    arguments[4] = signal
    arguments[5] = stack?.start ?? 0
    arguments[6] = stack?.size ?? 0
    child.pointee.arguments.0 = UInt64(Int(bitPattern: arguments))
    child.pointee.arguments.1 = 88
  }
}
