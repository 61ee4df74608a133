import Cordon
import Glibc
import GuestCode
import Testing

/// rt_sigprocmask(2) by trapped code: the mask is the guest's own, but for SIGSYS, which must never be blocked.
@Suite struct SignalMasks {
  @Test(arguments: mechanisms)
  func `what trapped code blocks stays blocked`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      check(guest.setAction(SIGUSR1, guest.handler()).result, 0, "rt_sigaction")
      let before = currentMask()
      let blocked = guest.setMask(SIG_BLOCK, bit(SIGUSR1))
      check(blocked.result, 0, "SIG_BLOCK")
      check(blocked.old, before, "the mask before")
      check(currentMask(), before | bit(SIGUSR1), "the mask after")
      check(guest.raise(SIGUSR1), 0, "tgkill")
      check(delivery(SIGUSR1).count, 0, "deliveries while blocked")
      let unblocked = guest.setMask(SIG_UNBLOCK, bit(SIGUSR1))
      check(unblocked.old, before | bit(SIGUSR1), "the mask before unblocking")
      check(delivery(SIGUSR1).count, 1, "deliveries after unblocking")
      check(delivery(SIGUSR1).answer, Int64(getpid()), "the handler's own trapped call")
      check(currentMask(), before, "the mask in the end")
      // rt_sigaction, twice rt_sigprocmask, tgkill; the handler's getpid and its rt_sigreturn.
      check(guest.log.hooked, 6, "trapped calls")
    }
  }

  @Test(arguments: mechanisms)
  func `blocking everything does not kill the next trap`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let before = currentMask()
      let all = everySignal & ~keptOpen()
      for (how, mask) in [(SIG_SETMASK, UInt64.max), (SIG_BLOCK, UInt64.max), (SIG_BLOCK, bit(SIGSYS))] {
        check(guest.setMask(how, mask).result, 0, "how \(how)")
        check(currentMask(), all, "the mask after how \(how)")
        check(guest.call(Number.getpid), Int(getpid()), "the next trap")
        let asked = guest.setMask(SIG_BLOCK, nil)
        check(asked.result, 0, "asking for the mask")
        check(asked.old, all, "what trapped code is told")
      }
      check(guest.setMask(SIG_SETMASK, before).result, 0, "setting it back")
      check(currentMask(), before, "the mask in the end")
      check(guest.log.calls(Number.rtSigprocmask), 7, "trapped rt_sigprocmask")
      check(guest.log.hooked, 10, "trapped calls")
    }
  }

  @Test(arguments: mechanisms)
  func `bad arguments are answered as the kernel answers them`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let before = currentMask()
      // Two pages of which only the first can be used.
      let pages = mmap(nil, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      let end = Int(bitPattern: pages) + 4096
      mprotect(UnsafeMutableRawPointer(bitPattern: end), 4096, PROT_NONE)
      let mask = guest.scratch.holding(bit(SIGUSR2))
      let call = { guest.call(Number.rtSigprocmask, $0, $1, $2, $3) }
      let kernel = { nativeCall(Number.rtSigprocmask, $0, $1, $2, $3) }
      let cases: [(how: Int, new: Int, old: Int, size: Int)] = [
        (Int(SIG_BLOCK), 8, 0, 8), (Int(SIG_BLOCK), end, 0, 8), (Int(SIG_BLOCK), end - 4, 0, 8),
        (Int(SIG_BLOCK), -8, 0, 8), (Int(SIG_BLOCK), 0, 8, 8), (Int(SIG_BLOCK), 0, end - 4, 8),
        (3, mask, 0, 8), (-1, mask, 0, 8), (3, 0, 0, 8), (Int(SIG_BLOCK), mask, 0, 4), (Int(SIG_BLOCK), mask, 0, 128),
        (Int(SIG_BLOCK), mask, 0, 0), (Int(SIG_BLOCK), 8, 0, 4), (1 << 32 | Int(SIG_UNBLOCK), mask, 0, 8),
      ]
      for (index, one) in cases.enumerated() {
        check(
          call(one.how, one.new, one.old, one.size), kernel(one.how, one.new, one.old, one.size), "case \(index)")
        check(currentMask(), before, "the mask after case \(index)")
      }
      check(guest.log.hooked, cases.count, "trapped calls")
    }
  }
}
