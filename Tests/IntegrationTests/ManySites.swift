import Cordon
import Glibc
import GuestCode
import TestSupport
import Testing
import TrapEngine

/// Every call site that is passed through gets a thunk of its own, as long as there is room; the others share one.
@Suite struct ManySites {
  /// More sites than there are thunks (32,768), each `mov $number, %eax; syscall; ret` with one of three numbers.
  @Test(arguments: mechanisms)
  func `more sites than thunks`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let count = 40_000
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let numbers = [Number.getpid, Number.getppid, Number.gettid]
      var code: [UInt8] = []
      for index in 0..<count { code += [0xb8, UInt8(numbers[index % 3]), 0, 0, 0, 0x0f, 0x05, 0xc3] }
      let region = try session.mapExecutable(code)
      let registers = try session.mapExecutable(GuestTemplate.registers.code)
      let waiting = try session.mapExecutable(GuestTemplate.call.code)
      let child = try session.mapExecutable(GuestTemplate.child.code)
      let old = try session.mapExecutable(GuestTemplate.registers32.code)
      let log = HookLog()
      try session.setHook(log.hook())
      try session.activate(for: .allThreads)
      let answers = [Int(getpid()), Int(getppid()), Int(gettid())]
      // Twice: the second time every site finds what it got the first time.
      for round in 1...2 {
        for index in 0..<count {
          let answer = call(region.range.start + UInt64(index * 8))
          if answer != answers[index % 3] { check(answer, answers[index % 3], "site \(index) in round \(round)") }
        }
        check(log.hooked, round * count, "trapped calls")
      }
      let sites = Int(session.statistics.sites)
      let shared = Int(counters().shared_thunks)
      #expect(sites <= 32_768, "sites with a thunk of their own: \(sites)")
      // Every site without one has used the shared thunk in both rounds. The selector has libc's sites trap as well.
      if mechanism != "sud-selector" { check(shared, 2 * (count - sites), "calls by the shared thunk") }
      #expect(shared >= 2 * (count - 32_768))

      // Sites that come now, by the shared thunk: the registers, the red zone and the flags are kept there too.
      let shares = UInt64(shared)
      let kept = sharedMemory(of: GuestRegisters.self)
      for flags in RegisterPatterns.flags {
        kept.pointee.before = RegisterPatterns.file(flags: flags, number: Number.getpid)
        let function = unsafeBitCast(UInt(registers.range.start), to: GuestFunction.self)
        check(function(kept), Int(getpid()), "getpid by the shared thunk")
        checkUnchanged(kept.pointee, except: ["rax", "rcx", "r11"])
        check(kept.pointee.after.rcx, kept.pointee.before.rip, "RCX, the address after the instruction")
      }
      #expect(
        counters().shared_thunks >= shares + UInt64(RegisterPatterns.flags.count), "they went by the shared thunk")

      // Children and int 0x80 have tables of their own.
      let one = sharedMemory(of: GuestChild.self)
      one.pointee.number = UInt64(Number.vfork)
      let pid = unsafeBitCast(UInt(child.range.start), to: GuestFunction.self)(one)
      #expect(pid > 0)
      check(one.pointee.done, 0x600d, "the vfork child's mark")
      var status: Int32 = -1
      check(waitpid(pid_t(pid), &status, 0), pid_t(pid), "waitpid")
      check(status, 0, "its wait status")
      kept.pointee.before = RegisterPatterns.file(flags: 0, number: OldNumber.getpid)
      check(unsafeBitCast(UInt(old.range.start), to: GuestFunction.self)(kept), Int(getpid()), "getpid by int 0x80")

      // A call that a signal interrupts while it goes by the shared thunk.
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      guest_signals().pointee.descriptor = ends[1]
      var action = sigaction()
      action.__sigaction_handler.sa_handler = unsafeBitCast(UInt(guest_plain_signal_handler()), to: sig_t.self)
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESTART))
      sigaction(SIGUSR1, &action, nil)
      let sender = signalWhenBlocked(SIGUSR1, in: Number.read)
      let buffer = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
      let function = unsafeBitCast(UInt(waiting.range.start), to: GuestCall.self)
      check(function(Number.read, Int(ends[0]), Int(bitPattern: buffer), 1, 0, 0, 0), 1, "the restarted read")
      sender.join()
    }
  }

  /// With 8,192 sites a quarter of the table is taken. These lie where the hash of one is the table's last slot, which
  /// another has by then: it has to find one behind the first page, all of which is taken.
  @Test(arguments: mechanisms)
  func `a site whose search meets the end of the table`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let count = 8192
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let range = try AddressRange(start: 0x2000_002d_0000, end: 0x2000_002d_0000 + UInt64(count * 16))
      let start = UnsafeMutableRawPointer(bitPattern: UInt(range.start))
      let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
      try #require(mmap(start, count * 16, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0) == start)
      let code: [UInt8] = [0xb8, UInt8(Number.getppid), 0, 0, 0, 0x0f, 0x05, 0xc3]
      for index in 0..<count {
        code.withUnsafeBytes { start?.advanced(by: index * 16).copyMemory(from: $0.baseAddress!, byteCount: 8) }
      }
      try session.trap(range)
      let log = HookLog()
      try session.setHook(log.hook())
      try session.activate(for: .allThreads)
      for index in 0..<count { check(call(range.start + UInt64(index * 16)), Int(getppid()), "site \(index)") }
      check(log.hooked, count, "trapped calls")
      check(Int(counters().shared_thunks), 0, "calls by the shared thunk")
    }
  }

  /// The tables of the sites that make children, and of int 0x80, have 2,048 thunks each.
  @Test(arguments: mechanisms)
  func `more sites by int 0x80, and of fork, than thunks`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let count = 2_500
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let old = (0..<count).flatMap { _ in [0xb8, UInt8(OldNumber.getpid), 0, 0, 0, 0xcd, 0x80, 0xc3] as [UInt8] }
      let fork = (0..<count).flatMap { _ in [0xb8, UInt8(Number.clone), 0, 0, 0, 0x0f, 0x05, 0xc3] as [UInt8] }
      let oldRegion = try session.mapExecutable(old)
      let forkRegion = try session.mapExecutable(fork)
      let log = HookLog()
      try session.setHook(log.hook())
      try session.activate(for: .allThreads)
      for index in 0..<count {
        let answer = call(oldRegion.range.start + UInt64(index * 8))
        if answer != Int(getpid()) { check(answer, Int(getpid()), "int 0x80 at site \(index)") }
      }
      let isAlone = mechanism != "sud-selector"
      if isAlone {
        check(Int(counters().shared_thunks), count - Int(session.statistics.sites), "calls by the shared thunk")
      }
      // CLONE_SIGHAND without CLONE_VM is refused by the kernel, EINVAL; a full table says EAGAIN.
      let sites = Int(session.statistics.sites)
      var refused = 0
      for index in 0..<count {
        let answer = guest_enter(forkRegion.range.start + UInt64(index * 8), 0, 0x800, 0, 0, 0)
        if answer == Int(-EAGAIN) { refused += 1 } else { check(answer, Int(-EINVAL), "clone at site \(index)") }
      }
      if isAlone { check(Int(session.statistics.sites) - sites, count - refused, "sites of clone with a thunk") }
      #expect(refused >= count - 2048)
      check(log.hooked, 2 * count, "trapped calls")
    }
  }
}
