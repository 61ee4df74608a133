import Cordon
import Glibc
import GuestCode
import Testing

/// Signals, stacks and children by the i386 interface: `int $0x80` in 64-bit code.
@Suite struct OldSignalCalls {
  /// Everything is blocked by one call after the other; SIGSYS is not, and the guest is told of everything but SIGSYS.
  @Test(arguments: mechanisms)
  func `masks`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .call32)
      let low = LowMemory()
      try guest.activate(for: .allThreads)
      let all = everySignal & ~keptOpen()
      let upper = all & ~0xffff_ffff

      check(
        guest.call32(OldNumber.rtSigprocmask, Int(SIG_SETMASK), low.holding(UInt64.max), low.address + 8, 8), 0, "set")
      check(currentMask(), all, "the mask after rt_sigprocmask")
      check(
        guest.call32(OldNumber.rtSigprocmask, Int(SIG_UNBLOCK), low.holding(~upper), low.address + 8, 8), 0, "unblock")
      check(low.read(UInt64.self, at: 8), all, "what rt_sigprocmask tells")
      check(currentMask(), upper, "the mask after unblocking")

      check(guest.call32(OldNumber.sigprocmask, Int(SIG_BLOCK), low.holding(UInt32.max), low.address + 8), 0, "block")
      check(currentMask(), all, "the mask after sigprocmask")
      check(guest.call32(OldNumber.sigprocmask, Int(SIG_SETMASK), low.holding(UInt32(0)), low.address + 8), 0, "set")
      check(low.read(UInt32.self, at: 8), UInt32(truncatingIfNeeded: all), "what sigprocmask tells")
      check(currentMask(), upper, "the upper half is not its business")

      check(guest.call32(OldNumber.ssetmask, -1), 0, "ssetmask")
      check(currentMask(), all & 0xffff_ffff, "the mask after ssetmask")
      check(guest.call32(OldNumber.ssetmask, 0), Int(Int32(truncatingIfNeeded: all)), "what ssetmask tells")
      check(currentMask(), 0, "the mask in the end")

      check(guest.call32(OldNumber.rtSigprocmask, Int(SIG_BLOCK), 8, 0, 8), Int(-EFAULT), "a bad pointer")
      check(guest.call32(OldNumber.rtSigprocmask, Int(SIG_BLOCK), low.address, 0, 4), Int(-EINVAL), "a bad size")
      check(guest.call32(OldNumber.sigprocmask, 7, low.address), Int(-EINVAL), "a way that there is not")
      check(guest.call32(OldNumber.sigprocmask, Int(SIG_BLOCK), 0, 8), Int(-EFAULT), "a bad pointer for the old one")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }

  /// A handler's own mask. (What a 32-bit call sets up is delivered with a 32-bit frame: it is asked for, not delivered.)
  @Test(arguments: mechanisms)
  func `dispositions`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .call32)
      let low = LowMemory()
      try guest.activate(for: .allThreads)
      // handler, flags, restorer, mask of 64 bits
      let action: [UInt32] = [0x1234, 0x1000_0000, 0, ~0, ~0]
      check(guest.call32(OldNumber.rtSigaction, Int(SIGUSR1), low.holding(action), 0, 8), 0, "rt_sigaction")
      check(guest.setAction(SIGUSR1, nil).old.mask, everySignal & ~keptOpen(), "the mask that it has set")
      check(guest.setAction(SIGUSR1, nil).old.handler, 0x1234, "the handler that it has set")
      // handler, mask, flags, restorer
      check(
        guest.call32(OldNumber.sigaction, Int(SIGUSR2), low.holding([0x1234, ~0, 0, 0] as [UInt32]), 0), 0, "sigaction")
      check(
        guest.setAction(SIGUSR2, nil).old.mask, everySignal & ~keptOpen() & 0xffff_ffff, "the mask that it has set")

      // SIGSYS is told apart: the guest's is asked for and set, and ours stays.
      let native = KernelAction(handler: 0x5678, flags: 0x400, restorer: 0x9abc, mask: bit(SIGHUP))
      check(guest.setAction(SIGSYS, native).result, 0, "rt_sigaction of SIGSYS by syscall")
      check(guest.call32(OldNumber.rtSigaction, Int(SIGSYS), 0, low.address, 8), 0, "asking")
      check(low.words(5), [0x5678, 0x400, 0x9abc, 1, 0], "the guest's own")
      check(guest.call32(OldNumber.sigaction, Int(SIGSYS), 0, low.address), 0, "asking the old way")
      check(low.words(4), [0x5678, 1, 0x400, 0x9abc], "the guest's own")
      check(guest.call32(OldNumber.signal, Int(SIGSYS), 1), 0x5678, "signal(SIGSYS, SIG_IGN)")
      check(
        guest.call32(OldNumber.rtSigaction, Int(SIGSYS), low.holding([0, 0, 0, 0, 0] as [UInt32]), 0, 8), 0, "default")
      check(guest.setAction(SIGSYS, nil).old.handler, 0, "what it has set")
      check(
        guest.call32(OldNumber.rtSigaction, Int(SIGSYS), low.holding(action), 0, 8), Int(-ENOSYS),
        "a 32-bit handler, which could not be given what comes")
      check(guest.call32(OldNumber.rtSigaction, Int(SIGSYS), 8, 0, 8), Int(-EFAULT), "a bad pointer")
      check(guest.call32(OldNumber.prctl, 59, 1, 0, 0, 0), Int(-EINVAL), "dispatch of the guest's own")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }

  /// A signal is pending that the wait lets in, and its handler makes trapped calls.
  @Test(
    arguments: mechanisms,
    [
      OldNumber.sigsuspend, OldNumber.rtSigsuspend, OldNumber.ppoll, OldNumber.ppollTime64, OldNumber.pselect6,
      OldNumber.pselect6Time64, OldNumber.epollPwait, OldNumber.epollPwait2,
    ])
  func `waits`(_ mechanism: String, _ number: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, number = number as Int] in
      begin()
      let guest = try Guest(mechanism, .call32, .restorer)
      let low = LowMemory()
      let poll = nativeCall(Number.epollCreate1, 0)
      try guest.activate(for: .allThreads)
      guest.setAction(SIGUSR1, guest.handler())
      guest.setMask(SIG_SETMASK, bit(SIGUSR1))
      let mappings = linesOfFile("/proc/self/maps").count
      for round in 1...3 {
        guest.raise(SIGUSR1)
        check(delivery(SIGUSR1).count, UInt64(round - 1), "deliveries before")
        let mask = low.holding(~bit(SIGUSR1), at: 64)
        let pair = low.holding([UInt32(mask), 8] as [UInt32], at: 72)
        let result =
          switch number {
          case OldNumber.sigsuspend: guest.call32(number, 0, 0, Int(UInt32(truncatingIfNeeded: ~bit(SIGUSR1))))
          case OldNumber.rtSigsuspend: guest.call32(number, mask, 8)
          case OldNumber.ppoll, OldNumber.ppollTime64: guest.call32(number, 0, 0, 0, mask, 8)
          case OldNumber.pselect6, OldNumber.pselect6Time64: guest.call32(number, 0, 0, 0, 0, 0, pair)
          case OldNumber.epollPwait: guest.call32(number, poll, low.address + 512, 1, -1, mask, 8)
          default: guest.call32(number, poll, low.address + 512, 1, 0, mask, 8)
          }
        check(result, Int(-EINTR), "the wait")
        check(delivery(SIGUSR1).count, UInt64(round), "deliveries after")
        check(delivery(SIGUSR1).answer, Int64(getpid()), "the handler's trapped call")
        check(low.read(UInt64.self, at: 64), ~bit(SIGUSR1), "the mask in the guest's memory")
        check(currentMask(), bit(SIGUSR1), "the mask after")
      }
      check(linesOfFile("/proc/self/maps").count, mappings, "mappings")
    }
  }

  /// sigaltstack(2) knows the same stack by both interfaces.
  @Test(arguments: mechanisms)
  func `a small alternate stack`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .call32, .restorer)
      let low = LowMemory()
      try guest.activate(for: .allThreads)
      let place = UInt32(low.address) + 4096
      let registers = guest.call32(OldNumber.sigaltstack, low.holding([place, 0, 2048] as [UInt32]), low.address + 16)
      check(registers, 0, "setting it")
      check(low.words(3, at: 16), [0, UInt32(SS_DISABLE), 0], "what was there before")
      check(guest.call32(OldNumber.sigaltstack, 0, low.address + 16), 0, "asking")
      check(low.words(3, at: 16), [place, 0, 2048], "what there is")
      check(guest.stack().start, UInt(place), "what there is, asked for by syscall")
      guest.setAction(SIGUSR1, guest.handler(flags: KernelAction.onStack))
      guest.raise(SIGUSR1)
      check(delivery(SIGUSR1).answer, Int64(getpid()), "the handler's trapped call")
    }
  }

  /// They are armed, and find the stack and the registers that they were made with.
  @Test(arguments: mechanisms, [OldNumber.fork, OldNumber.clone, OldNumber.vfork])
  func `children`(_ mechanism: String, _ number: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, number = number as Int] in
      begin()
      let guest = try Guest(mechanism, .child80)
      try guest.activate(for: .allThreads)
      for round in 1...5 {
        let child = sharedMemory(of: GuestChild.self)
        child.pointee.number = UInt64(number)
        child.pointee.arguments.0 = number == OldNumber.clone ? UInt64(SIGCHLD) : 0
        child.pointee.status = 7
        let pid = guest.function(.child80, as: GuestFunction.self)(child)
        #expect(pid > 0)
        var status: Int32 = -1
        check(Int(waitpid(pid_t(pid), &status, 0)), pid, "waitpid")
        check(status, 7 << 8, "the child's wait status")
        check(child.pointee.done, 0x600d, "the child's mark")
        check(Int(child.pointee.answers.0), pid, "getpid in the child")
        check(Int(child.pointee.answers.2), Int(getpid()), "getppid in the child")
        let registers = child.pointee.registers
        check([registers.0, registers.1, registers.2, registers.3], [0x1111, 0x3333, 0x4444, 0x5555], "registers")
        check(guest.log.hooked, 8 * round, "trapped calls: the one that makes it, the child's six, its exit")
      }
    }
  }

  /// 32-bit code cannot reach the gate; its calls are made in 64-bit mode.
  @Test(arguments: mechanisms)
  func `32-bit code in this process`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let low = LowMemory()
      let code = LowMemory()
      code.write(GuestTemplate.code32.code)
      mprotect(UnsafeMutableRawPointer(bitPattern: code.address), 4096, PROT_READ | PROT_EXEC)
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let start = UInt64(code.address)
      try session.trap(AddressRange(start: start, end: start + 4096))
      let log = HookLog()
      try session.setHook(log.hook())
      try session.activate(for: .allThreads)
      let function = unsafeBitCast(code.address, to: (@convention(c) (Int, Int) -> Int).self)
      let stack = low.address + 60_000
      let call: ([UInt32]) -> Int = { function(low.holding($0), stack) }
      var calls = 0
      for _ in 0..<3 {
        check(call([20, 0, 0, 0, 0, 0]), Int(getpid()), "getpid")
        check(call([UInt32(OldNumber.write), .max, 0, 0, 0, 0]), Int(-EBADF), "write to nowhere")
        let mask = UInt32(low.holding(UInt64.max, at: 64))
        check(call([UInt32(OldNumber.rtSigprocmask), 2, mask, UInt32(low.address + 72), 8, 0]), 0, "rt_sigprocmask")
        check(currentMask(), everySignal & ~keptOpen(), "the mask it has set")
        check(call([UInt32(OldNumber.rtSigprocmask), 2, UInt32(low.address + 72), 0, 8, 0]), 0, "and back")
        let place = UInt32(low.address) + 8192
        let new = UInt32(low.holding([place, 0, 2048] as [UInt32], at: 128))
        check(call([UInt32(OldNumber.sigaltstack), new, 0, 0, 0, 0]), 0, "sigaltstack")
        check(call([UInt32(OldNumber.sigaltstack), 0, new + 16, 0, 0, 0]), 0, "asking for the stack")
        check(low.words(3, at: 144), [place, 0, 2048], "the stack")
        calls += 6
        check(log.hooked, calls, "trapped calls")
      }
    }
  }
}

/// 64 KiB that 32-bit pointers reach.
struct LowMemory {
  let address: Int

  init() {
    let low = mmap(nil, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | 0x40 /* MAP_32BIT */, -1, 0)
    precondition(low != MAP_FAILED, "memory below 2 GiB")
    address = Int(bitPattern: low)
  }

  private var memory: UnsafeMutableRawPointer { UnsafeMutableRawPointer(bitPattern: address)! }

  /// Writes a value, and gives its address.
  func holding<Value>(_ value: Value, at offset: Int = 0) -> Int { memory.holding(value, at: offset) }

  func holding(_ words: [UInt32], at offset: Int = 0) -> Int {
    for (index, word) in words.enumerated() {
      memory.storeBytes(of: word, toByteOffset: offset + 4 * index, as: UInt32.self)
    }
    return address + offset
  }

  func write(_ bytes: [UInt8]) { memory.copyMemory(from: bytes, byteCount: bytes.count) }

  func read<Value>(_ type: Value.Type, at offset: Int) -> Value { memory.read(type, at: offset) }

  func words(_ count: Int, at offset: Int = 0) -> [UInt32] {
    (0..<count).map { memory.read(UInt32.self, at: offset + 4 * $0) }
  }
}
