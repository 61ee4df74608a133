import Cordon
import Glibc
import GuestCode
import Testing

/// sigaltstack(2) by trapped code. The handler that answers it may itself run on the stack in question.
@Suite struct SignalStacks {
  @Test(arguments: mechanisms)
  func `asked for, replaced and given up`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      let memory = (0..<2).map { _ in UnsafeMutableRawPointer.allocate(byteCount: 65536, alignment: 16) }
      let ranges = memory.map { UInt64(UInt(bitPattern: $0))..<UInt64(UInt(bitPattern: $0) + 65536) }
      try guest.activate(for: .allThreads)

      check(guest.stack().flags, Int32(SS_DISABLE), "the flags without a stack")
      for turn in [0, 1, 0] {
        let wanted = stack_t(ss_sp: memory[turn], ss_flags: 0, ss_size: 65536)
        check(guest.call(Number.sigaltstack, guest.scratch.holding(wanted)), 0, "setting stack \(turn)")
        // Asked from inside the handler, the flags would say that it is in use.
        let asked = guest.stack()
        check(asked.flags, 0, "the flags of stack \(turn)")
        check(asked.start, UInt(bitPattern: memory[turn]), "the place of stack \(turn)")
        check(asked.size, 65536, "the size of stack \(turn)")
        #expect(ranges[turn].contains(guest.log.raw.pointee.stack), "the hook runs on stack \(turn)")
      }
      check(guest.call(Number.sigaltstack, guest.scratch.holding(stack_t())), Int(-ENOMEM), "a stack too small")
      let disabled = stack_t(ss_sp: nil, ss_flags: Int32(SS_DISABLE), ss_size: 0)
      check(guest.call(Number.sigaltstack, guest.scratch.holding(disabled)), 0, "giving it up")
      check(guest.stack().flags, Int32(SS_DISABLE), "the flags in the end")
      #expect(!ranges.contains { $0.contains(guest.log.raw.pointee.stack) }, "the hook is back on the thread's stack")
      check(guest.log.calls(Number.sigaltstack), 10, "trapped calls")
    }
  }

  @Test(arguments: mechanisms)
  func `in use it cannot be replaced, as ever`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      let stack = useAlternateStack()
      try guest.activate(for: .allThreads)
      guest_signals().pointee.asks_for_stack = 1
      check(guest.setAction(SIGUSR1, guest.handler(flags: KernelAction.onStack)).result, 0, "rt_sigaction")
      guest.raise(SIGUSR1)
      check(delivery(SIGUSR1).count, 1, "deliveries")
      check(guest_signals().pointee.stack_flags, Int32(SS_ONSTACK), "the flags while in use")
      check(guest_signals().pointee.replacement, Int64(-EPERM), "replacing it while in use")
      check(guest.stack().start, UInt(stack.start), "the stack after that")
      check(guest.stack().flags, 0, "its flags after that")
    }
  }
}

extension Guest {
  /// What sigaltstack(2) tells trapped code.
  func stack() -> (start: UInt, flags: Int32, size: Int) {
    let old = scratch.holding(stack_t(), at: 64)
    check(call(Number.sigaltstack, 0, old), 0, "sigaltstack")
    let found = scratch.read(stack_t.self, at: 64)
    return (UInt(bitPattern: found.ss_sp), found.ss_flags, found.ss_size)
  }
}
