import ArgumentParser
import CordonComparator
import FoundationEssentials
import Glibc
import SystemPackage

/// What `cordon-bench` does when nothing else is said.
struct Measure: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the bars of some rooms, or of all; this word can be left out.")

  /// What a figure's name starts with, but for `compare`, whose figures have the names of workloads.
  enum Room: String, CaseIterable, ExpressibleByArgument {
    case compiler, compare, live, run
  }

  @Argument(help: ArgumentHelp("Measures only these: compiler, compare, live, run.", valueName: "room"))
  var rooms: [Room] = []

  @Option(help: ArgumentHelp("Writes the figures to this file as JSON, too.", valueName: "file"))
  var json: String?

  func validate() throws {
    // Whoever names a place where nothing can be written is told so before minutes have passed.
    guard let json else { return }
    let folder = FilePath(json).removingLastComponent()
    guard access(folder.isEmpty ? "." : folder.string, W_OK) == 0 else {
      throw ValidationError("\(json): cannot be written: \(Errno(rawValue: errno))")
    }
  }

  func run() async throws {
    // The measuring processes are cordon's own; the two are built into one folder.
    let executable = try FilePath(String(FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")))
    let cordon = executable.removingLastComponent().appending("cordon")
    let rooms = self.rooms.isEmpty ? Room.allCases : self.rooms
    let loadBefore = Host.load()
    let groups = Room.allCases.filter(rooms.contains).flatMap { room -> [MeasuredGroup] in
      switch room {
      case .compiler: CompilerBars.groups
      case .compare: [MeasuredGroup(name: "compare") { try await Self.compared(cordon) }]
      case .live: [MeasuredGroup(name: "live") { await LiveBars.measure(executable) }]
      case .run: [MeasuredGroup(name: "run") { await RunBars.measure(cordon, say: CordonBench.complain) }]
      }
    }
    let outcome = try await MeasuredGroup.measureAll(
      groups,
      show: { figures in
        for figure in figures { _ = try FileDescriptor.standardOutput.writeAll("\(figure.line)\n".utf8) }
      }, complain: CordonBench.complain)
    if let json {
      let host = HostDocument(host: Host.current(), loadBefore: loadBefore, loadAfter: Host.load())
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      let document = try encoder.encode(BenchDocument(host: host, figures: outcome.figures))
      try document.write(to: URL(filePath: json), options: .atomic)
    }
    guard outcome.isGood else { throw ExitCode(1) }
  }

  private static func compared(_ cordon: FilePath) async throws -> [BenchDocument.Figure] {
    let launcher = MeasurementLauncher(
      executable: cordon, arguments: ["compare", "measure"],
      sampling: Extent.full.sampling, processor: Processors.permitted().last, limit: .seconds(10))
    let comparison = Comparison(combinations: Bar.combinations, extent: .full) { await launcher.measure($0) }
    let results = await comparison.run() ?? ComparisonResults(combinations: Bar.combinations)
    return Promise.all.map { BenchDocument.Figure($0, in: results) }
  }
}
