import FoundationEssentials
import Glibc
import Subprocess
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
  /// How long one may take in all before it is killed.
  package var limit: Duration

  /// Samples of a quarter of a second, as JSON, are about 100 KB.
  private static let outputLimit = 8 << 20
  private static let messageLimit = 64 << 10

  package init(
    executable: FilePath, arguments: [String], sampling: Sampling, processor: Int?, limit: Duration
  ) {
    self.executable = executable
    self.arguments = arguments
    self.sampling = sampling
    self.processor = processor
    self.limit = limit
  }

  /// Whatever happens to the process is an answer.
  package func measure(_ combination: Combination) async -> Reply {
    await withTaskGroup(of: Reply?.self) { group in
      group.addTask { await launch(combination) }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      let first = await group.next() ?? nil
      // Ends the clock, or kills the process and waits for its end.
      group.cancelAll()
      await group.waitForAll()
      return first ?? .unavailable(reason: "its process took longer than \(limit) and was killed")
    }
  }

  private func launch(_ combination: Combination) async -> Reply {
    do {
      let result = try await run(
        .path(executable), arguments: Arguments(arguments + options(for: combination)),
        output: .bytes(limit: Self.outputLimit), error: .string(limit: Self.messageLimit))
      switch result.terminationStatus {
      case .exited(0):
        return try JSONDecoder().decode(Reply.self, from: Data(result.standardOutput))
      case .exited(let code):
        let message = result.standardError.split(separator: "\n").last.map { ": \($0)" } ?? ""
        return .failed(reason: "its process exited with status \(code)\(message)")
      case .signaled(let signal):
        let name = strsignal(signal).map { " (\(String(cString: $0)))" } ?? ""
        return .failed(reason: "its process was ended by signal \(signal)\(name)")
      }
    } catch let error as DecodingError {
      return .failed(reason: "its process gave an answer that makes no sense: \(error)")
    } catch {
      return .failed(reason: "its process could not be run: \(error)")
    }
  }

  private func options(for combination: Combination) -> [String] {
    var options = [
      combination.mechanism, combination.workload, "--warm-up", "\(sampling.warmUp)", "--duration",
      "\(sampling.duration)",
      "--batch", "\(sampling.batch)",
    ]
    if let processor { options += ["--processor", "\(processor)"] }
    return options
  }
}
