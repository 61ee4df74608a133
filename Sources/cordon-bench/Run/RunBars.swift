import CordonComparator
import CordonLauncher
import Glibc
import Subprocess
import SystemPackage

/// The bars of `cordon run`: real programs under it, beside the same without it, all in turn in one run.
struct RunBars {
  private static let rounds = 42

  private var commands: [RunJob: TimedCommand] = [:]
  /// Why there are no times of a job.
  private var failures: [RunJob: String] = [:]

  /// Measures them all. `say` is told the times that the figures are made of.
  static func measure(_ cordon: FilePath, say: (String) -> Void) async -> [BenchDocument.Figure] {
    let log = "/tmp/cordon-bench.\(getpid()).log"
    defer { unlink(log) }
    var bars = RunBars(cordon: cordon.string, log: log)
    for round in 0..<rounds { bars.runOnce(in: round) }
    for job in RunJob.allCases {
      guard let command = bars.commands[job], let median = command.median, let minimum = command.minimum else {
        continue
      }
      say("\(job.rawValue): median \(text(median)), minimum \(text(minimum)) ms of \(command.times.count)")
    }
    return bars.figures() + [image, await memory(cordon)]
  }

  private init(cordon: String, log: String) {
    for job in RunJob.allCases {
      if let program = job.program, access(program, X_OK) != 0 {
        failures[job] = "\(program) is not installed"
      } else {
        commands[job] = TimedCommand(job.words(cordon: cordon, log: log))
      }
    }
  }

  private mutating func runOnce(in round: Int) {
    for job in RunJob.allCases where round.isMultiple(of: job.interval) && failures[job] == nil {
      if commands[job]?.run(in: round) == false { failures[job] = "'\(job.rawValue)' failed" }
    }
  }

  private func figures() -> [BenchDocument.Figure] {
    func difference(_ name: String, _ job: RunJob, _ native: RunJob, _ limit: Double, count: Int = 1)
      -> BenchDocument.Figure
    {
      figure("run." + name, job, native, "ms", limit) { ($0 - $1) / Double(count) }
    }
    func ratio(_ name: String, _ job: RunJob, _ reference: RunJob, _ limit: Double) -> BenchDocument.Figure {
      figure("run." + name, job, reference, "x", limit) { $0 / $1 }
    }
    return [
      difference("true.all", .trueAll, .trueNative, 4),
      difference("true.library", .trueLibrary, .trueNative, 2),
      difference("exec", .execAll, .execNative, 0.4, count: RunJob.execs),
      ratio("find.all", .findAll, .findNative, 4),
      ratio("find.library", .findLibrary, .findNative, 1.5),
      ratio("find.all-to-strace", .findAll, .findStrace, 0.05),
      ratio("find.log-to-strace", .findLog, .findStrace, 0.1),
    ]
  }

  /// The median over rounds of what `relate` makes of what two jobs took in the same round.
  private func figure(
    _ name: String, _ job: RunJob, _ other: RunJob, _ unit: String, _ limit: Double,
    _ relate: (Double, Double) -> Double
  ) -> BenchDocument.Figure {
    guard failures[job] == nil, failures[other] == nil, let first = commands[job], let second = commands[other],
      let value = Statistics.median(of: first.pairs(with: second).map(relate)),
      let minimum = first.minimum, let otherMinimum = second.minimum
    else {
      let reason = failures[job] ?? failures[other] ?? "nothing was measured"
      return BenchDocument.Figure(name: name, unit: unit, limit: limit, reason: reason)
    }
    return BenchDocument.Figure(
      name: name, value: value, minimum: relate(minimum, otherMinimum), unit: unit, limit: limit)
  }

  private static var image: BenchDocument.Figure {
    BenchDocument.Figure(
      name: "run.agent.image", value: Double(AgentImage().bytes.count) / 1024, unit: "KiB", limit: 32)
  }

  /// The most memory that the launcher ever had; it is the parent of the shell that asks.
  private static func memory(_ cordon: FilePath) async -> BenchDocument.Figure {
    let name = "run.launcher.memory"
    let result = try? await Subprocess.run(
      .path(cordon), arguments: ["run", "--all", "/bin/sh", "-c", "grep VmHWM /proc/$PPID/status"],
      output: .string(limit: 4096), error: .discarded)
    let words = result?.standardOutput.split { $0 == " " || $0 == "\t" } ?? []
    guard let kilobytes = words.compactMap({ Double($0) }).first else {
      return BenchDocument.Figure(
        name: name, unit: "MiB", limit: 32, reason: "the launcher's memory cannot be read from /proc")
    }
    return BenchDocument.Figure(name: name, value: kilobytes / 1024, unit: "MiB", limit: 32)
  }

  private static func text(_ milliseconds: Double) -> String {
    CordonComparator.Figure.decimal(milliseconds, digits: 2)
  }
}
