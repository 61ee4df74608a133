import Cordon
import Glibc
import Synchronization
import TrapEngine

/// What one change takes, while other threads make untrapped calls without pause.
enum ChangeTimes {
  /// Starts threads that call; they never end.
  private static func start(_ threads: Int) {
    for _ in 1..<threads {
      var thread = pthread_t()
      pthread_create(
        &thread, nil,
        { _ in
          while true { _ = getppid() }
        }, nil)
    }
  }

  /// Regions come and go where what is attached traps already. Each figure is of one change.
  static func withoutFilter(threads: Int, regions: Int) throws -> [String: Double] {
    let session = try Overhead.session(.seccomp, regions: 1)
    let begin: UInt64 = 0x4000_0000_0000
    var live: [Region] = []
    try session.trap(AddressRange(start: begin - 4096, end: begin))
    let filters = session.statistics.filters
    live = try session.change { change in
      for index in 0..<UInt64(regions) {
        if let range = try? AddressRange(start: begin + index << 16, end: begin + index << 16 + 4096) {
          change.trap(range)
        }
      }
    }
    start(threads)
    usleep(100_000)
    var times: [Double] = []
    for index in 0..<20_000 {
      let place = index * 7919 % live.count
      let range = live[place].range
      let first = now()
      try session.remove(live[place])
      let second = now()
      live[place] = try session.trap(range)
      let third = now()
      times.append(Double(second - first))
      times.append(Double(third - second))
    }
    guard session.statistics.filters == filters else { throw LiveFailure("a filter was attached") }
    return ["nanoseconds": median(times)]
  }

  /// A filter that allows everything is attached as one that traps libc's calls is: while all other threads, which sleep,
  /// stand still.
  static func withThreadsStopped(threads: Int) throws -> [String: Double] {
    let session = try Overhead.session(.seccomp, regions: 1)
    for _ in 1..<threads {
      var thread = pthread_t()
      pthread_create(
        &thread, nil,
        { _ in
          while true { pause() }
        }, nil)
    }
    usleep(100_000)
    let allow: UInt64 = 0x7fff_0000 << 32 | 0x06  // BPF_RET, SECCOMP_RET_ALLOW
    let forAllThreads: UInt32 = 1
    let patience = CordonPatience(silent_ms: 2_000, starved_ms: 30_000)
    var times: [Double] = []
    for _ in 0..<100 {
      var silence = CordonSilence()
      let first = now()
      let result = withUnsafePointer(to: allow) {
        cordon_seccomp_load_parked($0, 1, forAllThreads, patience, &silence)
      }
      times.append(Double(now() - first))
      guard result == 0, silence.error == 0 else { throw LiveFailure("no filter was attached") }
    }
    return withExtendedLifetime(session) { ["nanoseconds": median(times)] }
  }

  /// Each change needs a filter: native code, page after page, becomes a region. As many as there may be in a process.
  static func withFilter(threads: Int) throws -> [String: Double] {
    let session = try Overhead.session(.seccomp, regions: 1)
    let size = 1 << 20
    guard let base = mmap(nil, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
    else { throw LiveFailure("mmap") }
    start(threads)
    usleep(100_000)
    let start = UInt64(UInt(bitPattern: base))
    var times: [Double] = []
    for page in 0..<UInt64(20) {
      let range = try AddressRange(start: start + page * 8192, end: start + page * 8192 + 4096)
      let filters = session.statistics.filters
      let first = now()
      try session.trap(range)
      times.append(Double(now() - first))
      guard session.statistics.filters == filters + 1 else { throw LiveFailure("no filter was attached") }
    }
    return ["nanoseconds": median(times)]
  }
}
