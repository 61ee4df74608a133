import Cordon
import Glibc
import GuestCode
import TestSupport
import Testing

/// Many threads that trap at once, each of which knows what its answers must be.
@Suite struct ThreadStorm {
  /// CORDON_SOAK_SECONDS says for how long; 5 where it is not set.
  static let seconds = getenv("CORDON_SOAK_SECONDS").flatMap { Int(String(cString: $0)) } ?? 5

  @Test(arguments: mechanisms)
  func `64 threads`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, seconds = ThreadStorm.seconds as Int] in
      begin(seconds: 900 + UInt32(seconds))
      let guest = try Guest(mechanism, .storm, hook: guest_storm_hook)
      guest.log.raw.pointee.addend = 0x10_0001
      let start = Signpost()
      // Half of them are there before activation, half are made after it.
      let body: @Sendable (Int) -> Int = { index in
        start.wait()
        return storm(guest, index, seconds: seconds)
      }
      let old = (0..<32).map { index in TestThread { body(index) } }
      try guest.activate(for: .allThreads)
      let new = (32..<64).map { index in TestThread { body(index) } }
      start.open()
      let rounds = (old + new).map { $0.join() }
      #expect(rounds.allSatisfy { $0 > 0 }, "every thread's answers are its own: \(rounds)")
      let total = rounds.reduce(0, +)
      check(guest.log.hooked, total * callsInOneRound, "calls that the hook has answered")
      let statistics = guest.session.statistics
      check(Int(statistics.hooked), total * (callsInOneRound + 1), "calls that reached the hook")
      check(Int(statistics.passed - statistics.unasked), total, "calls that the hook let pass")
    }
  }
}

/// Threads that come to the same call sites for the first time, each in an order of its own, so that sites which share a
/// place in the table of thunks are entered at once.
@Suite struct SiteRace {
  @Test(arguments: mechanisms)
  func `new sites`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let count = 8192
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      // `mov $number, %eax; syscall; lea index(%rax), %rax; ret`: whoever goes on at another site returns another number.
      let code = (0..<count).flatMap { index -> [UInt8] in
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: (index << 8) >> (8 * $0)) }
        return [0xb8, UInt8(Number.getppid), 0, 0, 0, 0x0f, 0x05, 0x48, 0x8d, 0x80] + bytes + [0xc3, 0xcc]
      }
      let region = try session.mapExecutable(code)
      let log = HookLog()
      try session.setHook(log.hook())
      try session.activate(for: .allThreads)
      let parent = Int(getppid())
      let start = Signpost()
      let threads = (0..<8).map { thread in
        TestThread {
          start.wait()
          var wrong = 0
          for step in 0..<count {
            // An odd multiplier goes through them all.
            let index = (step &* (2 * thread + 1) &+ thread) & (count - 1)
            if call(region.range.start + UInt64(index * 16)) != parent + (index << 8) { wrong += 1 }
          }
          return wrong
        }
      }
      start.open()
      check(threads.map { $0.join() }, [Int](repeating: 0, count: 8), "calls that went on at another site")
      check(log.hooked, 8 * count, "trapped calls")
      // The selector has libc's sites trap as well.
      if mechanism != "sud-selector" { check(Int(session.statistics.sites), count, "sites with a thunk") }
    }
  }
}

private let callsInOneRound = 500

/// Calls until the time is over; how many rounds, or -1 where an answer was another's.
private func storm(_ guest: Guest, _ index: Int, seconds: Int) -> Int {
  let function = guest.function(.storm, as: (@convention(c) (Int, Int) -> Int).self)
  let addend = Int(guest.log.raw.pointee.addend)
  let end = time(nil) + seconds
  var rounds = 0
  repeat {
    let first = index << 32 | rounds << 12
    // The sum of `count` answers, each its own argument plus the addend.
    let wanted = callsInOneRound * (first + addend) + callsInOneRound * (callsInOneRound - 1) / 2
    guard function(callsInOneRound, first) == wanted, guest.call(Number.gettid) == Int(gettid()) else { return -1 }
    rounds += 1
  } while time(nil) < end
  return rounds
}
