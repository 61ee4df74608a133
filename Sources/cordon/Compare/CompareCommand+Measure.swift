import ArgumentParser
import CordonComparator
import FoundationEssentials

extension CompareCommand {
  /// `cordon compare measure`: the process that measures one combination. Not for people: `compare` starts it.
  struct Measure: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "measure", abstract: "Measures one combination and prints the samples.", shouldDisplay: false)

    // Not options: the parent command has options of these names, which would take them.
    @Argument var mechanism: String
    @Argument var workload: String
    @Option(help: "Nanoseconds before the first sample.") var warmUp: Int64
    @Option(help: "Nanoseconds of sampling.") var duration: Int64
    @Option(help: "Nanoseconds in a batch.") var batch: Int64
    @Option(help: "The processor to stay on.") var processor: Int?
    @Option(help: "The folder with what real programs work on.") var material: String?

    func run() throws {
      let process = MeasuringProcess(
        mechanism: mechanism, workload: workload,
        sampling: Sampling(warmUp: warmUp, duration: duration, batch: batch), processor: processor,
        material: material)
      let reply = process.run()
      print(String(decoding: try JSONEncoder().encode(reply), as: UTF8.self))
    }
  }
}
