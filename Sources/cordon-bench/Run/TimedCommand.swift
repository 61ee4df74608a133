import CordonComparator
import Glibc

/// A command that is run again and again, and how long it took each time.
struct TimedCommand {
  let words: [String]
  /// In milliseconds, by round.
  private(set) var times: [Int: Double] = [:]

  init(_ words: [String]) { self.words = words }

  /// Runs it once more, with its output thrown away; false where it cannot be run or fails.
  mutating func run(in round: Int) -> Bool {
    guard let time = Self.time(words) else { return false }
    times[round] = time / 1e6
    return true
  }

  /// Over all rounds; nil of none.
  var median: Double? { Statistics.median(of: Array(times.values)) }
  var minimum: Double? { times.values.min() }

  /// What this and another took in each round that both were run in.
  func pairs(with other: TimedCommand) -> [(Double, Double)] {
    times.compactMap { round, time in other.times[round].map { (time, $0) } }
  }

  /// From before the process is made until it has ended, in nanoseconds.
  private static func time(_ words: [String]) -> Double? {
    var arguments = words.map { strdup($0) }
    arguments.append(nil)
    defer { arguments.forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    // That a library is not there is what some of the commands are run for.
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var process: pid_t = 0
    let start = now()
    guard posix_spawn(&process, words[0], &actions, nil, arguments, environ) == 0 else { return nil }
    var status: Int32 = 0
    guard waitpid(process, &status, 0) == process, status == 0 else { return nil }
    return Double(now() - start)
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
