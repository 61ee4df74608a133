import ArgumentParser
import CordonComparator
import SystemPackage

/// `cordon compare`: every mechanism with every workload, measured side by side.
struct CompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Measures ways of trapping system calls side by side.",
    usage: """
      cordon compare [--mechanism M]... [--workload W]... [--quick] \
      [--json FILE] [--csv FILE] [--html FILE] [--svg FILE]
      cordon compare --merge REPORT.json... [--json FILE] [--csv FILE] [--html FILE]
      """,
    discussion: """
      Each mechanism is measured with each workload, in rounds: once a round, in a process of its own and in an order \
      of the round's own, so that whatever drifts hits all alike. What the kernel lacks is a row with the reason.

      Mechanisms:
      \(listing(Roster.mechanisms.map { ($0.name, $0.summary) }))

      Workloads:
      \(listing(Roster.workloads.map { ($0.name, $0.summary) }))

      A run that is interrupted (Ctrl-C) after its first round writes its report, marked as partial, and ends by the \
      signal. With --merge nothing is measured: reports written with --json, here or on other machines, are set side by \
      side.

      Before it is measured each mechanism is probed: what it does and does not do, also with signals, threads, fork and \
      exec, stands in a table of its own. One that does something wrong is not measured.

      Under the table stand the project's bars with what was measured. A missed bar is printed as MISSED and does not \
      change the exit code, since a busy machine misses it too. The exit code is 69 if nothing at all could be \
      measured, and 70 if a measurement failed that should have worked.

      Examples:
        cordon compare --quick
        cordon compare --mechanism none --mechanism seccomp --json -
        cordon compare --json here.json --html here.html --svg here.svg
        cordon compare --merge here.json there.json --html both.html
      """,
    subcommands: [Measure.self, Supervise.self, CapabilityProbe.self])

  @Option(
    help: ArgumentHelp("Measure only this mechanism; may be repeated.", valueName: "M"),
    completion: .list(Roster.mechanisms.map(\.name)))
  var mechanism: [String] = []

  @Option(
    help: ArgumentHelp("Measure only this workload; may be repeated.", valueName: "W"),
    completion: .list(Roster.workloads.map(\.name)))
  var workload: [String] = []

  @Flag(help: "Fewer rounds: about a minute for everything instead of ten.")
  var quick = false

  @OptionGroup var outputs: ReportOutputs

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Measure nothing; set these reports (from --json) side by side.", valueName: "REPORT"),
    completion: .file())
  var merge: [String] = []

  // A measurement takes a fraction of a second, and some seconds on a machine that is very busy. In an emulator it may take
  // longer, for which this is there.
  @Option(help: ArgumentHelp("How many seconds one measurement may take.", visibility: .hidden))
  var limit: Int = 10

  func run() async throws {
    guard merge.isEmpty else {
      try mergeReports()
      return
    }
    let combinations = try self.combinations()
    try outputs.checkWritable()

    Interruption.watch()
    let processor = Processors.permitted().last
    let loadBefore = Host.load()
    let timesBefore = ProcessorTimes.current()
    guard var results = try await measure(combinations, on: processor) else { Interruption.end() }

    let host = Host.current()
    let loadAfter = Host.load()
    if let timesBefore { results.steal = ProcessorTimes.current()?.steal(since: timesBefore) }
    let document = ComparisonDocument(host: host, loadBefore: loadBefore, loadAfter: loadAfter, results: results)
    try outputs.write([document])
    if !outputs.takesStandardOutput {
      let report = ComparisonReport(
        host: host, loadBefore: loadBefore, loadAfter: loadAfter, processor: processor, results: results)
      try OutputDestination.standardOutput.write(report.text().utf8)
    }
    if results.isPartial { Interruption.end() }
    try CompareCommand.judge(results)
  }

  /// Probes and measures; nil where it was interrupted before there was anything to tell. What real programs work on is
  /// gone when this returns.
  private func measure(_ combinations: [Combination], on processor: Int?) async throws -> ComparisonResults? {
    guard combinations.contains(where: \.isProgram) else {
      return await measure(combinations, on: processor, material: nil)
    }
    let material: ProgramMaterial
    do throws(Errno) {
      material = try ProgramMaterial()
    } catch {
      throw CommandFailure.unavailable(
        "compare", "no temporary folder for the programs to work in: \(error)",
        remedy: "set TMPDIR to a folder that can be written")
    }
    return await measure(combinations, on: processor, material: material.path)
  }

  private func measure(
    _ combinations: [Combination], on processor: Int?, material: FilePath?
  ) async -> ComparisonResults? {
    let extent = quick ? Extent.quick : .full
    let launcher = MeasurementLauncher(
      executable: "/proc/self/exe", arguments: ["compare", "measure"], sampling: extent.sampling,
      processor: processor, material: material, limit: .seconds(limit))
    let comparison = Comparison(combinations: combinations, extent: extent) { await launcher.measure($0) }
    var progress = ProgressLine()
    defer { progress.clear() }
    let mechanisms = combinations.map(\.mechanism).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    progress.show("probing what each mechanism does")
    let conformance = await Conformance.probe(
      mechanisms, with: ChildLauncher(executable: "/proc/self/exe", limit: .seconds(limit)), ["compare", "probe"],
      shouldStop: { Interruption.signal != nil })
    return await comparison.run(
      conformance: conformance, progress: { progress.show($0) }, shouldStop: { Interruption.signal != nil })
  }

  private func mergeReports() throws {
    guard mechanism.isEmpty, workload.isEmpty, !quick else {
      throw CommandFailure.usage(
        "--merge", "nothing is measured, so there is nothing to choose", remedy: "leave out the rest")
    }
    guard outputs.svg == nil else {
      throw CommandFailure.usage("--svg", "one chart is of one comparison", remedy: "--html has the charts of all")
    }
    try outputs.checkWritable()
    let documents = try ReportFile.read(merge)
    try outputs.write(documents)
    if !outputs.takesStandardOutput {
      try OutputDestination.standardOutput.write(ComparisonMerge.text(documents).utf8)
    }
  }

  /// What is to be measured.
  private func combinations() throws(CommandFailure) -> [Combination] {
    try NameSelection.check(mechanism, among: Roster.mechanisms.map(\.name), option: "--mechanism")
    try NameSelection.check(workload, among: Roster.workloads.map(\.name), option: "--workload")
    let combinations = Roster.combinations(
      mechanisms: mechanism.isEmpty ? nil : mechanism, workloads: workload.isEmpty ? nil : workload)
    guard !combinations.isEmpty else {
      throw .usage("compare", "none of these workloads is measured under any of these mechanisms")
    }
    return combinations
  }

  /// What the results mean for the exit code.
  private static func judge(_ results: ComparisonResults) throws(CommandFailure) {
    let outcomes = results.combinations.map { results[$0] }
    let failed = outcomes.count { if case .failed = $0 { true } else { false } }
    if failed > 0 {
      throw CommandFailure(
        status: .defect, place: "compare",
        problem: "\(failed) of \(outcomes.count) measurements failed that should have worked",
        remedy: "the results say why; please report it with the output of `cordon doctor`")
    }
    if outcomes.allSatisfy({ $0.series == nil }) {
      throw .unavailable(
        "compare", "nothing could be measured here", remedy: "`cordon doctor` tells what this kernel can do")
    }
  }

  private static func listing(_ entries: [(name: String, summary: String)]) -> String {
    var table = TextTable([.left, .left])
    for entry in entries { table.add(["  \(entry.name)", entry.summary]) }
    return table.lines().joined(separator: "\n")
  }
}
