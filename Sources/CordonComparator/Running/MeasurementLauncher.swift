import FoundationEssentials
package import SystemPackage

/// Starts a fresh process for each measurement and takes its answer.
package struct MeasurementLauncher: Sendable {
  /// What to start: it answers with one line of JSON, a ``Reply``.
  package var executable: FilePath
  /// What comes before the options that name the combination.
  package var arguments: [String]
  package var sampling: Sampling
  /// The processor that all of them stay on.
  package var processor: Int?
  /// The folder with what real programs work on.
  package var material: FilePath?
  /// How long one may take in all before it is killed.
  package var limit: Duration

  package init(
    executable: FilePath, arguments: [String], sampling: Sampling, processor: Int?, material: FilePath? = nil,
    limit: Duration
  ) {
    self.executable = executable
    self.arguments = arguments
    self.sampling = sampling
    self.processor = processor
    self.material = material
    self.limit = limit
  }

  /// Whatever happens to the process is an answer.
  package func measure(_ combination: Combination) async -> Reply {
    let launcher = ChildLauncher(executable: executable, limit: limit)
    switch await launcher.run(arguments + options(for: combination)) {
    case .output(let bytes):
      do {
        return try JSONDecoder().decode(Reply.self, from: Data(bytes))
      } catch {
        return .failed(reason: "its process gave an answer that makes no sense: \(error)")
      }
    case .failed(let reason): return .failed(reason: reason)
    case .tookTooLong: return .unavailable(reason: "its process took longer than \(limit) and was killed")
    }
  }

  private func options(for combination: Combination) -> [String] {
    var options = [
      combination.mechanism, combination.workload, "--warm-up", "\(sampling.warmUp)", "--duration",
      "\(sampling.duration)",
      "--batch", "\(sampling.batch)",
    ]
    if let processor { options += ["--processor", "\(processor)"] }
    if let material { options += ["--material", material.string] }
    return options
  }
}
