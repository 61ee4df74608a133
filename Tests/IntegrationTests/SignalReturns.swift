import Cordon
import Glibc
import GuestCode
import Testing

/// rt_sigreturn(2) by trapped code: the handlers' restorer lies in a region. Its frame is the guest's own, above ours.
@Suite struct SignalReturns {
  /// A breakpoint's SIGTRAP arrives with every general register loaded.
  @Test(arguments: mechanisms, [false, true])
  func `every register and the red zone are as before the signal`(_ mechanism: String, onAlternateStack: Bool) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, onAlternateStack = onAlternateStack as Bool] in
      begin()
      let guest = try Guest(mechanism, .restorer, .registersSignal)
      let stack = onAlternateStack ? useAlternateStack() : nil
      try guest.activate(for: .allThreads)
      let flags = onAlternateStack ? KernelAction.onStack : 0
      check(guest.setAction(SIGTRAP, guest.handler(flags: flags)).result, 0, "rt_sigaction")
      for flags in RegisterPatterns.flags {
        let registers = sharedMemory(of: GuestRegisters.self)
        registers.pointee.before = RegisterPatterns.file(flags: flags)
        _ = guest.function(.registersSignal, as: GuestFunction.self)(registers)
        checkUnchanged(registers.pointee, except: [])
      }
      let count = RegisterPatterns.flags.count
      check(delivery(SIGTRAP).count, UInt64(count), "deliveries")
      if let stack {
        #expect((UInt64(stack.start)..<UInt64(stack.start + stack.size)).contains(delivery(SIGTRAP).stack))
        check(guest.stack().start, UInt(stack.start), "the alternate stack in the end")
      }
      check(guest.log.calls(Number.rtSigreturn), count, "trapped rt_sigreturn")
    }
  }

  @Test(arguments: mechanisms, [false, true])
  func `two nested handlers`(_ mechanism: String, onAlternateStack: Bool) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, onAlternateStack = onAlternateStack as Bool] in
      begin()
      let guest = try Guest(mechanism, .restorer, .registersSignal)
      let stack = onAlternateStack ? useAlternateStack() : nil
      try guest.activate(for: .allThreads)
      let flags = onAlternateStack ? KernelAction.onStack : 0
      guest.setAction(SIGTRAP, guest.handler(flags: flags, mask: bit(SIGHUP)))
      guest.setAction(SIGUSR1, guest.handler(flags: flags, mask: bit(SIGUSR2)))
      guest.setAction(SIGUSR2, guest.handler(flags: flags))
      guest_signals().pointee.raises.5 = SIGUSR1  // SIGTRAP
      guest_signals().pointee.raises.10 = SIGUSR2  // SIGUSR1
      guest.setMask(SIG_SETMASK, bit(SIGWINCH))

      let registers = sharedMemory(of: GuestRegisters.self)
      registers.pointee.before = RegisterPatterns.file(flags: RegisterPatterns.flags[0])
      _ = guest.function(.registersSignal, as: GuestFunction.self)(registers)
      checkUnchanged(registers.pointee, except: [])
      for signal in [SIGTRAP, SIGUSR1, SIGUSR2] {
        check(delivery(signal).count, 1, "deliveries of \(signal)")
        check(delivery(signal).answer, Int64(getpid()), "the trapped call in the handler of \(signal)")
        if let stack {
          #expect((UInt64(stack.start)..<UInt64(stack.start + stack.size)).contains(delivery(signal).stack))
        }
      }
      let first = bit(SIGWINCH) | bit(SIGTRAP) | bit(SIGHUP)
      check(delivery(SIGTRAP).mask, bit(SIGWINCH), "the mask under the first handler")
      check(delivery(SIGTRAP).mask_inside, first, "the mask of the first handler")
      check(delivery(SIGUSR1).mask, first, "the mask under the second")
      check(delivery(SIGUSR1).mask_inside, first | bit(SIGUSR1) | bit(SIGUSR2), "the mask of the second")
      // SIGUSR2 waits for the second handler's return, and comes before the first goes on.
      check(delivery(SIGUSR2).mask, first, "the mask under the third")
      check(currentMask(), bit(SIGWINCH), "the mask in the end")
      if let stack { check(guest.stack().start, UInt(stack.start), "the alternate stack in the end") }
      check(guest.log.calls(Number.rtSigreturn), 3, "trapped rt_sigreturn")
    }
  }

  @Test(arguments: mechanisms)
  func `the vector state is as before the signal`(_ mechanism: String) async {
    let isWide = hasAVX512()
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, isWide = isWide as Bool] in
      begin()
      let template: GuestTemplate = isWide ? .vectorsSignal : .vectorsSSESignal
      let guest = try Guest(mechanism, .restorer, template)
      try guest.activate(for: .allThreads)
      guest.setAction(SIGTRAP, guest.handler())
      guest_signals().pointee.clobbers = 1
      let vectors = sharedMemory(of: GuestVectors.self)
      vectors.pointee.before = VectorPatterns.file()
      _ = guest.function(template, as: GuestFunction.self)(vectors)
      checkUnchanged(vectors)
      check(delivery(SIGTRAP).count, 1, "deliveries")
      check(guest.log.calls(Number.rtSigreturn), 1, "trapped rt_sigreturn")
    }
  }

  /// A handler may write a mask of its own into its frame.
  @Test(arguments: mechanisms)
  func `a frame whose mask blocks everything`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      guest.setAction(SIGUSR1, guest.handler())
      guest_signals().pointee.mask_to_return = UInt64.max
      guest.raise(SIGUSR1)
      check(delivery(SIGUSR1).count, 1, "deliveries")
      check(currentMask(), everySignal & ~keptOpen(), "the mask that the frame put in place")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }
}
