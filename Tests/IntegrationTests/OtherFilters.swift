import Cordon
import Glibc
import GuestCode
import Testing

/// Seccomp filters that are not ours.
@Suite struct OtherFilters {
  /// The program's filter is older than ours: it judges the calls that we let through.
  @Test(arguments: mechanisms)
  func `from before activation`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      var own = sigaction()
      own.__sigaction_handler.sa_handler = unsafeBitCast(UInt(guest_signal_handler()), to: sig_t.self)
      own.sa_flags = SA_SIGINFO
      sigaction(SIGSYS, &own, nil)
      guest_signals().pointee.result = 88
      let guest = try Guest(mechanism)
      nativeCall(Number.prctl, 38, 1)
      check(GuestFilter().load(), 0, "seccomp")
      try guest.activate()
      check(guest.call(Number.getuid), -77, "refused with an errno")
      check(guest.call(Number.getgid), 88, "answered by the program's handler")
      check(guest.log.hooked, 2, "trapped calls")
      check(delivery(SIGSYS).count, 1, "deliveries to the program's handler")
      check([delivery(SIGSYS).code, delivery(SIGSYS).error, delivery(SIGSYS).number], [1, 0x1234, 104], "its siginfo")
      check(nativeCall(Number.getgid), 88, "by code that is not trapped")
      check(nativeCall(Number.getuid), -77, "by code that is not trapped")
      check(Int(guest.session.statistics.forwarded), 2, "forwarded")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }

  /// The guest loads its own, which is newer than ours: where both trap, it is the newer one's trap.
  @Test(arguments: mechanisms)
  func `loaded by trapped code`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate()
      guest_signals().pointee.result = 88
      check(guest.setAction(SIGSYS, guest.handler()).result, 0, "rt_sigaction")
      check(guest.call(Number.prctl, 38, 1, 0, 0, 0), 0, "no_new_privs")
      check(GuestFilter().load { guest.call($0, $1, $2, $3) }, 0, "seccomp")
      let before = guest.log.hooked
      check(guest.call(Number.getuid), -77, "refused with an errno")
      check(guest.log.hooked, before + 1, "our trap is stricter than its errno")
      check(guest.call(Number.getgid), 88, "answered by the guest's handler")
      check(delivery(SIGSYS).count, 1, "deliveries to the guest's handler")
      check([delivery(SIGSYS).code, delivery(SIGSYS).error, delivery(SIGSYS).number], [1, 0x1234, 104], "its siginfo")
      check(delivery(SIGSYS).answer, Int64(getpid()), "the handler's own trapped call")
      check(nativeCall(Number.getgid), 88, "by code that is not trapped")
      check(guest.call(Number.getpid), Int(getpid()), "the next trap")
    }
  }
}
