import Cordon
import Glibc
import GuestCode
import Testing
import TrapEngine

/// What a trap leaves alone: every register but RAX, RCX and R11, the flags, the red zone, and the vector state.
@Suite struct RegistersKept {
  /// Each of these the hook can answer.
  @Test(arguments: mechanisms, [CordonVerdictKind.pass.rawValue, CordonVerdictKind.value.rawValue])
  func `by a syscall instruction`(_ mechanism: String, _ verdict: UInt32) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, verdict = verdict as UInt32] in
      begin()
      let guest = try Guest(mechanism, .registers)
      guest.log.answer(Number.getpid, try #require(CordonVerdictKind(rawValue: verdict)), 4711)
      try guest.activate(for: .allThreads)
      for flags in RegisterPatterns.flags {
        let registers = sharedMemory(of: GuestRegisters.self)
        registers.pointee.before = RegisterPatterns.file(flags: flags, number: Number.getpid)
        let result = guest.function(.registers, as: GuestFunction.self)(registers)
        check(result, verdict == 0 ? Int(getpid()) : 4711, "RAX")
        checkUnchanged(registers.pointee, except: ["rax", "rcx", "r11"])
        check(registers.pointee.after.rcx, registers.pointee.before.rip, "RCX, the address after the instruction")
        check(registers.pointee.after.r11 & RegisterPatterns.changeableFlags, flags, "R11, the flags")
      }
      check(guest.log.hooked, RegisterPatterns.flags.count, "trapped calls")
    }
  }

  @Test(arguments: mechanisms, [CordonVerdictKind.pass.rawValue, CordonVerdictKind.value.rawValue])
  func `by int 0x80, which changes RAX only`(_ mechanism: String, _ verdict: UInt32) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, verdict = verdict as UInt32] in
      begin()
      let guest = try Guest(mechanism, .registers32)
      guest.log.answer(OldNumber.getpid, try #require(CordonVerdictKind(rawValue: verdict)), 4711)
      try guest.activate(for: .allThreads)
      for flags in RegisterPatterns.flags {
        let registers = sharedMemory(of: GuestRegisters.self)
        registers.pointee.before = RegisterPatterns.file(flags: flags, number: OldNumber.getpid)
        let result = guest.function(.registers32, as: GuestFunction.self)(registers)
        check(result, verdict == 0 ? Int(getpid()) : 4711, "RAX")
        checkUnchanged(registers.pointee, except: ["rax"])
      }
      check(guest.log.hooked, RegisterPatterns.flags.count, "trapped calls")
    }
  }

  /// Registers that the hook is shown, in the kernel's order and in the user's.
  @Test(arguments: mechanisms)
  func `the hook sees them all`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .registers)
      try guest.activate(for: .allThreads)
      let registers = sharedMemory(of: GuestRegisters.self)
      let before = RegisterPatterns.file(flags: 0xcd5, number: Number.getpid)
      registers.pointee.before = before
      _ = guest.function(.registers, as: GuestFunction.self)(registers)
      let site = registers.pointee.before.rip
      let seen = guest.log.raw.pointee.registers
      check(
        [seen.rbx, seen.rdx, seen.rsi, seen.rdi, seen.rbp, seen.r8, seen.r9, seen.r10, seen.r12, seen.r13],
        [
          before.rbx, before.rdx, before.rsi, before.rdi, before.rbp, before.r8, before.r9, before.r10, before.r12,
          before.r13,
        ], "general registers")
      check([seen.r14, seen.r15, seen.rax], [before.r14, before.r15, UInt64(Number.getpid)], "general registers")
      check([seen.rip, seen.rcx], [site, site], "RIP and RCX")
      check(seen.rsp, registers.pointee.before.rsp, "RSP")
      check(seen.eflags & RegisterPatterns.changeableFlags, 0xcd5, "flags")
      let trap = guest.log.raw.pointee.trap
      check(trap.instruction_address, site - 2, "the instruction")
      check(Int(trap.number), Number.getpid, "the number")
      check(trap.architecture, 0xc000_003e, "the architecture")
      check(trap.region, UInt32(guest.region(.registers).index), "the region")
      let arguments = trap.arguments
      check(
        [arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5],
        [before.rdi, before.rsi, before.rdx, before.r10, before.r8, before.r9], "the arguments")
    }
  }

  /// The hook itself overwrites all of it.
  @Test(arguments: mechanisms, [CordonVerdictKind.pass.rawValue, CordonVerdictKind.value.rawValue])
  func `the vector and floating-point state`(_ mechanism: String, _ verdict: UInt32) async {
    let isWide = hasAVX512()
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, verdict = verdict as UInt32, isWide = isWide as Bool] in
      begin()
      let template: GuestTemplate = isWide ? .vectors : .vectorsSSE
      let guest = try Guest(mechanism, template, hook: guest_clobbering_hook)
      guest.log.answer(Number.getpid, try #require(CordonVerdictKind(rawValue: verdict)), 4711)
      try guest.activate(for: .allThreads)
      let vectors = sharedMemory(of: GuestVectors.self)
      vectors.pointee.number = UInt64(Number.getpid)
      vectors.pointee.before = VectorPatterns.file()
      _ = guest.function(template, as: GuestFunction.self)(vectors)
      checkUnchanged(vectors)
      check(guest.log.hooked, 1, "trapped calls")
    }
  }

  /// Rights to memory with a protection key: signal handlers start without them, and the guest has its own back. A struct
  /// in such memory is read all the same.
  @Test(arguments: mechanisms)
  func `protection keys`(_ mechanism: String) async {
    let key = nativeCall(Number.pkeyAlloc, 0, 0)
    guard key > 0 else {
      print("protection keys are not tested here, since pkey_alloc fails with errno \(-key)")
      return
    }
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      let key = nativeCall(Number.pkeyAlloc, 0, 0)
      let memory = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      let address = Int(bitPattern: memory)
      check(nativeCall(Number.pkeyMprotect, address, 4096, Int(PROT_READ | PROT_WRITE), key), 0, "pkey_mprotect")
      try guest.activate(for: .allThreads)
      let granted = guest_protection_rights()
      memory?.storeBytes(of: bit(SIGUSR1), as: UInt64.self)
      check(guest.call(Number.rtSigprocmask, Int(SIG_BLOCK), address, address + 8, 8), 0, "a mask in such memory")
      check(currentMask(), bit(SIGUSR1), "the mask")
      check(memory?.load(fromByteOffset: 8, as: UInt64.self), 0, "the old mask")
      check(guest_protection_rights(), granted, "the rights after a call")

      let refused = granted | 1 << UInt32(2 * key)
      guest_set_protection_rights(refused)
      let (id, bad) = (
        guest.call(Number.getpid), guest.call(Number.write, -1, address, 1)
      )
      let found = guest_protection_rights()
      guest_set_protection_rights(granted)
      check([id, bad], [Int(getpid()), Int(-EBADF)], "calls without the right")
      check(found, refused, "the rights after them")
    }
  }
}
