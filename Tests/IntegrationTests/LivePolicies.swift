import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing
import TrapEngine

/// Regions whose calls go by number and argument, at any time.
@Suite struct LivePolicies {
  @Test(arguments: mechanisms)
  func `a region gets a policy, another one, and none`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let region = guest.region(.call)
      let filters = guest.session.statistics.filters
      let native = [Int(getpid()), nativeCall(Number.getuid), nativeCall(Number.getppid)]
      func answers(_ argument: Int = 0) -> [Int] {
        [Number.getpid, Number.getuid, Number.getppid].map { guest.call($0, argument) }
      }
      check(answers(), [4711] + native[1...], "trapped")
      let hooked = guest.log.hooked
      try guest.session.set(.policy(plugin()), of: region)
      check(answers(), [4711, native[1], -Int(ENOSYS)], "by the policy")
      check(answers(7), [-Int(EACCES), native[1], -Int(ENOSYS)], "by its arguments")
      check(answers(7 | 1 << 32), [4711, native[1], -Int(ENOSYS)], "all 64 bits of them")
      check(guest.log.hooked, hooked + 2, "calls that the hook saw")
      let statistics = guest.session.statistics
      check(statistics.permitted, 3, "calls that the policy allowed")
      check(statistics.refused, 4, "calls that it refused")
      try guest.session.set(.policy(plugin(refusing: .badAddress)), of: region)
      check(answers(), [4711, native[1], -Int(EFAULT)], "by the other policy")
      try guest.session.set(.trap, of: region)
      check(answers(), [4711] + native[1...], "trapped again")
      try guest.session.remove(region)
      check(answers(), native, "removed")
      check(guest.session.statistics.filters, filters, "filters")
    }
  }

  /// A policy's answers that end the process do so with the right wait status.
  @Test(arguments: mechanisms)
  func `a policy that ends the process`(_ mechanism: String) async {
    await #expect(processExitsWith: .signal(SIGSYS)) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let rules = [Policy.Rule(UInt32(Number.getuid), Action(.killProcess))]
      let policy = try Policy(tables: [.x86_64: Policy.Table(rules, otherwise: Action(.allow))])
      try guest.session.set(.policy(policy), of: guest.region(.call))
      check(guest.call(Number.getpid), Int(getpid()), "a call that is allowed")
      guest.call(Number.getuid)
    }
  }

  @Test(arguments: mechanisms)
  func `policies before activation, and of regions that are declared with them`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .getpid)
      try guest.session.set(.policy(plugin()), of: guest.region(.call))
      try guest.activate(for: .allThreads)
      check(guest.call(Number.getppid), -Int(ENOSYS), "a call by the policy")
      check(guest.call(Number.getuid), nativeCall(Number.getuid), "a call by the policy")
      let other = try AddressRange(start: guest.address(.getpid) + 0x1000, end: guest.address(.getpid) + 0x2000)
      let declared = try guest.session.declare(other, .policy(plugin()))
      #expect(throws: SessionError.self) { try guest.session.declare(other, .policy(plugin(refusing: .badAddress))) }
      try guest.session.declare(other, .policy(plugin()))
      try guest.session.remove(declared)
      check(guest.session.regions.count, 3, "regions")
    }
  }

  /// Calls that all policies permit by number do not trap, until something is to trap that the filter lets happen.
  @Test func `what all regions permit is decided by the filter`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp", .getpid)
      guest.log.answer(Number.getuid, .value, 4711)
      let (region, other, session) = (guest.region(.call), guest.region(.getpid), guest.session)
      for each in [region, other] { try session.set(.policy(plugin()), of: each) }
      try guest.activate(for: .allThreads)
      let (traps, uid) = (session.statistics.traps, nativeCall(Number.getuid))
      check(guest.call(Number.getuid), uid, "a call that is permitted")
      check(session.statistics.traps, traps, "traps")
      check(guest.call(Number.getppid), -Int(ENOSYS), "a call that is not")
      // Another policy that permits it, and native code again: nothing to attach.
      for disposition in [.policy(try plugin(refusing: .badAddress)), .allow] as [Region.Disposition] {
        check(try session.plan { $0.set(disposition, of: other) }.filters, 0, "filters of \(disposition)")
        try session.set(disposition, of: other)
      }
      let plan = try session.plan { $0.set(.trap, of: other) }
      check(plan.filters, 1, "filters of \(plan)")
      try session.set(.trap, of: other)
      check(session.statistics.filters, 2, "filters")
      let before = session.statistics.permitted
      check(guest.call(Number.getuid), uid, "a call that the policy permits")
      check(session.statistics.permitted, before + 1, "calls that a policy allowed")
      try session.set(.trap, of: region)
      check(guest.call(Number.getuid), 4711, "the call, trapped")
      for each in [region, other] { try session.set(.policy(plugin()), of: each) }
      check(guest.call(Number.getuid), uid, "a call that the policy permits")
      check(session.statistics.filters, 2, "filters in the end")
    }
  }

  /// What a handler cannot do is refused, and nothing has happened then.
  @Test func `policies that only a filter can have`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let region = guest.region(.call)
      for answer in [Action(.notify), Action(.trace, data: 1), Action(.log), Action(.killThread)] {
        let rules = [Policy.Rule(UInt32(Number.getpid), answer)]
        let policy = try Policy(tables: [.x86_64: Policy.Table(rules, otherwise: Action(.allow))])
        let error = SessionError.policy(policy, reason: "'\(answer)' is an answer that only a filter can give")
        let before = (guest.session.regions, guest.session.statistics, cordon_table_generation())
        #expect(throws: error) { try guest.session.set(.policy(policy), of: region) }
        #expect(throws: error) { try guest.session.plan { $0.set(.policy(policy), of: region) } }
        let after = (guest.session.regions, guest.session.statistics, cordon_table_generation())
        #expect(before == after)
        check(guest.call(Number.getpid), 4711, "a call")
      }
    }
  }

  /// Each answer is one that held while the call was made: by the policy and the disposition of one state of the map.
  @Test(arguments: mechanisms)
  func `8 threads call without pause while the policy changes`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, seconds = ThreadStorm.seconds as Int] in
      begin(seconds: 900 + UInt32(seconds))
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let region = guest.region(.call)
      let base = cordon_table_generation()
      let errors: [Errno] = [.badAddress, .ioError, .tooManyReferences]
      /// Of getppid, which the policies refuse; and of getpid, which they send to the hook. Every fourth state is a trap.
      @Sendable func answer(_ generation: UInt64, _ number: Int, _ native: Int) -> Int {
        let state = Int(generation - base) % 4
        if number == Number.getpid { return 4711 }
        return state == 0 ? native : -Int(errors[state - 1].rawValue)
      }
      let stop = Signpost()
      let native = Int(getppid())
      let threads = (0..<8).map { index in
        TestThread {
          var (calls, wrong) = (0, 0)
          repeat {
            let number = (calls + index).isMultiple(of: 5) ? Number.getpid : Number.getppid
            let before = cordon_table_generation()
            let result = guest.call(number)
            let after = cordon_table_generation()
            if !(before...min(after, before + 3)).contains(where: { answer($0, number, native) == result }) {
              wrong += 1
            }
            calls += 1
          } while !stop.isOpen
          return wrong > 0 ? -wrong : calls
        }
      }
      let end = time(nil) + seconds
      var rounds = 0
      while time(nil) < end || rounds <= 5 {
        for error in errors { try guest.session.set(.policy(plugin(refusing: error)), of: region) }
        try guest.session.set(.trap, of: region)
        rounds += 1
      }
      stop.open()
      let calls = threads.map { $0.join() }
      #expect(calls.allSatisfy { $0 > 0 }, "answers that never held: \(calls)")
      #expect(rounds > 5, "\(rounds) rounds")
    }
  }
}

/// Allows getuid, traps getpid but where its first argument is 7, and refuses all else.
private func plugin(refusing error: Errno = .noFunction) throws -> Policy {
  let rules = try [
    Policy.Rule(UInt32(Number.getuid), Action(.allow)),
    Policy.Rule(
      UInt32(Number.getpid), where: [ArgumentCondition(argument: 0, .equal(7))], Action(.errno, data: UInt16(EACCES))),
    Policy.Rule(UInt32(Number.getpid), Action(.trap)),
  ]
  return try Policy(
    name: "plugin", tables: [.x86_64: Policy.Table(rules, otherwise: Action(.errno, data: UInt16(error.rawValue)))])
}
