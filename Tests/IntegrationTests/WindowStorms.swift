import Cordon
import Glibc
import GuestCode
import TestSupport
import Testing

/// Filters that trap native calls are attached while other threads make threads and processes: libc blocks every signal for
/// a moment then, and who traps in that moment is killed. CORDON_STORM_ATTEMPTS says how often; 10 times where it is not
/// set, of which without the care that is taken between 2 and 10 end so.
@Suite(.serialized) struct WindowStorms {
  static let attempts = getenv("CORDON_STORM_ATTEMPTS").flatMap { Int(String(cString: $0)) } ?? 10

  @Test(arguments: WideFilter.allCases, Storm.allCases)
  func `a wide filter is attached while threads or processes are made`(_ filter: WideFilter, _ storm: Storm) async {
    await #expect(processExitsWith: .success) { [filter = filter as WideFilter, storm = storm as Storm] in
      begin(seconds: 900 + UInt32(WindowStorms.attempts))
      let attempts = WindowStorms.attempts
      var statuses: [Int32: Int] = [:]
      for _ in 0..<attempts { statuses[inChild { try filter.attach(amid: storm) }, default: 0] += 1 }
      check(statuses, [0: attempts], "how often the children ended with which status")
    }
  }
}

/// What native code does meanwhile.
enum Storm: String, CaseIterable, Codable, Sendable {
  case threads, detachedThreads, processes, forks, identities, masks, handlers

  /// Starts threads that do it until told to stop.
  func start(_ count: Int, until: UnsafeMutablePointer<Int32>) -> [TestThread] {
    nonisolated(unsafe) let until = until
    return (0..<count).map { _ in
      TestThread {
        switch self {
        case .threads: guest_make_threads(until)
        case .detachedThreads: guest_make_detached_threads(until)
        case .processes: guest_make_processes(until)
        case .forks: guest_fork_processes(until)
        case .identities: guest_set_identities(until)
        case .masks: guest_block_and_call(until)
        case .handlers: guest_call_in_handlers(until)
        }
      }
    }
  }
}

/// A filter that traps calls of native code.
enum WideFilter: String, CaseIterable, Codable, Sendable {
  case guarding, everythingByDefault, last

  /// Attaches it while the storm rages in four threads.
  func attach(amid storm: Storm) throws {
    let until = sharedMemory(of: Int32.self)
    let guest: Guest
    switch self {
    case .guarding: guest = try Guest("seccomp", options: [.guardsSIGSYS])
    case .everythingByDefault: guest = try Guest("seccomp", default: .trap)
    case .last: guest = try Guest("seccomp")
    }
    guest.log.answer(WideFilter.unassigned, .value, 4711)
    guard self == .last else {
      let threads = storm.start(4, until: until)
      usleep(2_000)
      try guest.activate(for: .allThreads)
      try end(threads, until, guest)
      return
    }
    try guest.activate(for: .allThreads)
    let last = try HighPages(30).trapAllButLast(in: guest.session)
    let threads = storm.start(4, until: until)
    usleep(2_000)
    try guest.session.trap(last)
    try end(threads, until, guest)
  }

  /// A number that no call has: libc looks at what its own getpid answers when it sets user ids.
  private static let unassigned = 400
  private struct Wrong: Error {}

  private func end(_ threads: [TestThread], _ until: UnsafeMutablePointer<Int32>, _ guest: Guest) throws {
    usleep(2_000)
    until.pointee = 1
    let made = threads.map { $0.join() }
    guard made.allSatisfy({ $0 > 0 }), guest.call(WideFilter.unassigned) == 4711 else { throw Wrong() }
  }
}

/// Runs `body` in a child; how that ended, as by wait(2), 256 for an error.
func inChild(_ body: () throws -> Void) -> Int32 {
  let child = fork()
  if child == 0 {
    alarm(900)
    do { try body() } catch { _exit(1) }
    _exit(0)
  }
  var status: Int32 = -1
  check(waitpid(child, &status, 0), child, "waitpid")
  return status
}
