import CordonComparator
import FoundationEssentials
import Glibc
import SystemPackage

/// `make bench`: the project's bars, measured, a line a figure; exits 1 where one is missed.
@main
enum CordonBench {
  static func main() async throws {
    if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "live" {
      guard let job = LiveJob(rawValue: CommandLine.arguments[2]) else { exit(64) }
      alarm(LiveJob.limit)
      do {
        let values = try job.run()
        _ = try FileDescriptor.standardOutput.writeAll(try JSONEncoder().encode(values))
      } catch {
        complain("\(error)")
        exit(70)
      }
      exit(0)
    }
    guard CommandLine.arguments.count == 2 else {
      complain(
        "usage: cordon-bench FILE (what is printed is written there as JSON too), or `run` for `cordon run` alone")
      exit(64)
    }
    // The measuring processes are cordon's own; the two are built into one folder.
    let executable = try FilePath(String(FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")))
    let cordon = executable.removingLastComponent().appending("cordon")
    if CommandLine.arguments[1] == "run" {
      let figures = await RunBars.measure(cordon, say: complain)
      for figure in figures { print(figure.line) }
      exit(figures.allSatisfy { $0.verdict == Bar.Verdict.ok.rawValue } ? 0 : 1)
    }
    let launcher = MeasurementLauncher(
      executable: cordon, arguments: ["compare", "measure"],
      sampling: Extent.full.sampling, processor: Processors.permitted().last, limit: .seconds(10))
    let comparison = Comparison(combinations: Bar.combinations, extent: .full) { await launcher.measure($0) }
    let loadBefore = Host.load()
    let compiler = try CompilerBars.all().map(BenchDocument.Figure.init)
    for figure in compiler { print(figure.line) }
    guard let results = await comparison.run() else { exit(70) }

    let bars = Bar.all(in: results).map(BenchDocument.Figure.init)
    let measured = bars + (await LiveBars.measure(executable)) + (await RunBars.measure(cordon, say: complain))
    for figure in measured { print(figure.line) }
    let figures = compiler + measured
    let host = HostDocument(host: Host.current(), loadBefore: loadBefore, loadAfter: Host.load())
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let document = try encoder.encode(BenchDocument(host: host, figures: figures))
    try document.write(to: URL(filePath: CommandLine.arguments[1]), options: .atomic)
    exit(figures.allSatisfy { $0.verdict == Bar.Verdict.ok.rawValue } ? 0 : 1)
  }

  private static func complain(_ message: String) {
    _ = try? FileDescriptor.standardError.writeAll("cordon-bench: \(message)\n".utf8)
  }
}
