import Glibc
import SystemPackage

/// The bars of `cordon run`: real programs under it, beside the same without it, taken in turn.
struct RunBars {
  private let cordon: String
  private static let runs = 21
  private static let tree = "/usr/include"

  init(cordon: FilePath) { self.cordon = cordon.string }

  /// Measures them all, and shows each when it is known; what a missing program would be needed for is left out, and said.
  func measure(missing: (String) -> Void, show: ([BenchDocument.Figure]) throws -> Void) rethrows {
    let native = ["/bin/true"]
    try show(over(native, ["--all"], "run.true.all", limit: 4))
    try show(over(native, ["--trap", "libnone.so*"], "run.true.library", limit: 2))
    try show(execution())
    guard access(Self.find[0], X_OK) == 0 else {
      missing("find is not installed: no run.find figures")
      return
    }
    try show(ratio(["--all"], to: Self.find, "run.find.all", limit: 4))
    try show(
      ratio(
        ["--trap", "libnone.so*"], to: Self.find, "run.find.library", limit: 1.5))
    guard access(Self.strace, X_OK) == 0 else {
      missing("strace is not installed: no run.find figures beside it")
      return
    }
    let traced = [Self.strace, "-f", "-o", "/dev/null"] + Self.find
    try show(share(["--all"], of: traced, "run.find.all-to-strace", limit: 0.05))
    let log = "/tmp/cordon-bench.\(getpid()).log"
    defer { unlink(log) }
    try show(
      share(
        ["--all", "--log", log], of: traced, "run.find.log-to-strace", limit: 0.1))
  }

  private static let find = ["/usr/bin/find", tree]
  private static let strace = "/usr/bin/strace"

  private func under(_ options: [String], _ command: [String]) -> [String] {
    [cordon, "run"] + options + ["--"] + command
  }

  /// What a run takes longer, in milliseconds: the median of differences within a pair.
  private func over(
    _ command: [String], _ options: [String], _ name: String, limit: Double
  ) -> [BenchDocument.Figure] {
    guard let pairs = pairs(command, under(options, command), Self.runs) else { return [] }
    let value = Self.median(pairs.map { $0.1 - $0.0 }) / 1e6
    return [BenchDocument.Figure(name: name, value: value, unit: "ms", limit: limit)]
  }

  private func ratio(
    _ options: [String], to command: [String], _ name: String, limit: Double
  ) -> [BenchDocument.Figure] {
    guard let pairs = pairs(command, under(options, command), Self.runs) else { return [] }
    let value = Self.median(pairs.map { $0.1 / $0.0 })
    return [BenchDocument.Figure(name: name, value: value, unit: "x", limit: limit)]
  }

  private func share(
    _ options: [String], of traced: [String], _ name: String, limit: Double
  ) -> [BenchDocument.Figure] {
    guard let pairs = pairs(traced, under(options, Self.find), 3) else { return [] }
    let value = Self.median(pairs.map { $0.1 / $0.0 })
    return [BenchDocument.Figure(name: name, value: value, unit: "x", limit: limit)]
  }

  /// What following one exec costs: a shell that runs many small programs, over the same without cordon.
  private func execution() -> [BenchDocument.Figure] {
    let count = 100
    let command = ["/bin/sh", "-c", "i=0; while [ $i -lt \(count) ]; do /bin/true; i=$((i+1)); done"]
    guard let pairs = pairs(command, under(["--all"], command), 7) else { return [] }
    let value = Self.median(pairs.map { $0.1 - $0.0 }) / 1e6 / Double(count)
    return [
      BenchDocument.Figure(
        name: "run.exec", value: value,
        unit: "ms", limit: 0.4)
    ]
  }

  /// Times two commands in turn, in nanoseconds; nil where one of them cannot be run.
  private func pairs(_ first: [String], _ second: [String], _ count: Int) -> [(Double, Double)]? {
    // The first run of each finds nothing in the caches.
    guard Self.time(first) != nil, Self.time(second) != nil else { return nil }
    var pairs: [(Double, Double)] = []
    for _ in 0..<count {
      guard let a = Self.time(first), let b = Self.time(second) else { return nil }
      pairs.append((a, b))
    }
    return pairs
  }

  private static func time(_ command: [String]) -> Double? {
    var arguments = command.map { strdup($0) }
    arguments.append(nil)
    defer { arguments.forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    var process: pid_t = 0
    let start = now()
    guard posix_spawn(&process, command[0], &actions, nil, arguments, environ) == 0 else { return nil }
    var status: Int32 = 0
    guard waitpid(process, &status, 0) == process, status == 0 else { return nil }
    return Double(now() - start)
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }
}
