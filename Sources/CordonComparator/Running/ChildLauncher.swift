import FoundationEssentials
import Glibc
import Subprocess
package import SystemPackage

/// Starts a fresh process and takes what it prints.
package struct ChildLauncher: Sendable {
  /// What to start.
  package var executable: FilePath
  /// How long it may take in all before it is killed.
  package var limit: Duration

  /// What became of the process.
  package enum Outcome: Sendable {
    /// It exited with 0 and printed this.
    case output([UInt8])
    case failed(reason: String)
    case tookTooLong
  }

  /// Samples of a quarter of a second, as JSON, are about 100 KB.
  private static let outputLimit = 8 << 20
  private static let messageLimit = 64 << 10

  package init(executable: FilePath, limit: Duration) {
    self.executable = executable
    self.limit = limit
  }

  /// Whatever happens to the process is an outcome.
  package func run(_ arguments: [String]) async -> Outcome {
    await withTaskGroup(of: Outcome?.self) { group in
      group.addTask { await launch(arguments) }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      let first = await group.next() ?? nil
      // Ends the clock, or kills the process and waits for its end.
      group.cancelAll()
      await group.waitForAll()
      return first ?? .tookTooLong
    }
  }

  private func launch(_ arguments: [String]) async -> Outcome {
    do {
      let result = try await Subprocess.run(
        .path(executable), arguments: Arguments(arguments), output: .bytes(limit: Self.outputLimit),
        error: .string(limit: Self.messageLimit))
      switch result.terminationStatus {
      case .exited(0):
        return .output(result.standardOutput)
      case .exited(let code):
        let message = result.standardError.split(separator: "\n").last.map { ": \($0)" } ?? ""
        return .failed(reason: "its process exited with status \(code)\(message)")
      case .signaled(let signal):
        let name = strsignal(signal).map { " (\(String(cString: $0)))" } ?? ""
        return .failed(reason: "its process was ended by signal \(signal)\(name)")
      }
    } catch {
      return .failed(reason: "its process could not be run: \(error)")
    }
  }
}
