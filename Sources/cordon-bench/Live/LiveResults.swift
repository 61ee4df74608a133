import CordonComparator
import FoundationEssentials
import Subprocess
import SystemPackage

/// What the processes found that measured changing sessions: each job's values, or why it has none.
struct LiveResults {
  /// Of each job, the values of its rounds.
  private var rounds: [LiveJob: Result<[[String: Double]], LiveFailure>] = [:]

  /// Runs all jobs, each round of each in a process of its own, started as `executable live NAME`. A job that fails is not
  /// run again; the others are.
  init(_ executable: FilePath) async {
    // Rounds of what is compared lie side by side, so that whatever disturbs the machine hits both.
    for round in 0..<(LiveJob.allCases.map(\.rounds).max() ?? 0) {
      for job in LiveJob.allCases where round < job.rounds {
        guard case .success(let before) = rounds[job] ?? .success([]) else { continue }
        do throws(LiveFailure) {
          rounds[job] = .success(before + [try await Self.launch(executable, job)])
        } catch {
          rounds[job] = .failure(error)
        }
      }
    }
  }

  /// The median over a job's rounds.
  func median(_ job: LiveJob, _ key: String) throws(LiveFailure) -> Double {
    cordon_bench.median(try values(job, key))
  }

  /// The highest of them: for what is counted and may never be more than so many.
  func highest(_ job: LiveJob, _ key: String) throws(LiveFailure) -> Double {
    try values(job, key).max() ?? .nan
  }

  private func values(_ job: LiveJob, _ key: String) throws(LiveFailure) -> [Double] {
    guard let rounds = rounds[job] else { throw LiveFailure("\(job.rawValue) was not run") }
    let values = try rounds.get().compactMap { $0[key] }
    guard !values.isEmpty else { throw LiveFailure("\(job.rawValue) does not say \(key)") }
    return values
  }

  private static func launch(_ executable: FilePath, _ job: LiveJob) async throws(LiveFailure) -> [String: Double] {
    do {
      let result = try await Subprocess.run(
        .path(executable), arguments: ["live-job", job.rawValue], output: .bytes(limit: 1 << 16),
        error: .string(limit: 1 << 16))
      guard case .exited(0) = result.terminationStatus else {
        let said = result.standardError.split(separator: "\n").first ?? ""
        throw LiveFailure("\(job.rawValue): \(result.terminationStatus) \(said)")
      }
      return try JSONDecoder().decode([String: Double].self, from: Data(result.standardOutput))
    } catch let failure as LiveFailure {
      throw failure
    } catch {
      throw LiveFailure("\(job.rawValue): \(error)")
    }
  }
}
