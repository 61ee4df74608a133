import CordonComparator
import FoundationEssentials
import Subprocess
import SystemPackage

/// The figures of changing sessions, with their bars.
enum LiveBars {
  /// Measures all of them, each round of each in a process of its own, started as `executable live NAME`.
  static func measure(_ executable: FilePath) async throws -> [Bar] {
    var values: [LiveJob: [String: Double]] = [:]
    var found: [LiveJob: [[String: Double]]] = [:]
    // Rounds of what is compared lie side by side, so that whatever disturbs the machine hits both.
    for round in 0..<(LiveJob.allCases.map(\.rounds).max() ?? 0) {
      for job in LiveJob.allCases where round < job.rounds {
        found[job, default: []].append(try await launch(executable, job))
      }
    }
    for (job, rounds) in found {
      for key in rounds[0].keys { values[job, default: [:]][key] = median(rounds.compactMap { $0[key] }) }
    }
    func value(_ job: LiveJob, _ key: String) -> Double { values[job]?[key] ?? .nan }
    let selector = value(.selectorOverhead, "overhead")
    func bar(_ name: String, _ statement: String, _ value: Double, _ limit: Double, _ unit: String) -> Bar {
      Bar(name: "live." + name, statement: statement, value: value, relation: .atMost, limit: limit, unit: unit)
    }
    var bars = [
      bar(
        "arena.filters", "filters added by 10,000 changes in the arena", value(.arenaChanges, "filters"), 0, "filters"),
      bar(
        "arena.getppid-after-to-before", "getppid after 10,000 changes in the arena / before",
        value(.arenaChanges, "ratio"), 1.05, "x"),
      bar(
        "automatic.getppid-1-to-selector", "getppid: .automatic over none / sud-selector over none, 1 region",
        value(.automaticOverhead1, "overhead") / selector, 0.65, "x"),
      bar(
        "automatic.getppid-1000-to-selector", "the same with 1,000 regions",
        value(.automaticOverhead1000, "overhead") / selector, 0.65, "x"),
      bar(
        "scattered.filters", "filters after 1,000 changes at any addresses", value(.scattered, "filters"), 4, "filters"),
      bar(
        "scattered.getppid-to-selector", "getppid after them: over none / sud-selector over none",
        value(.scattered, "overhead") / selector, 2.5, "x"),
      bar("scattered.passed-through", "native calls passed through", value(.scattered, "caught"), 0, "calls"),
    ]
    for (threads, job) in [(1, LiveJob.change1), (8, .change8), (64, .change64)] {
      bars.append(
        bar("change.threads-\(threads)", "a change without a filter", value(job, "nanoseconds") / 1000, 5, "us"))
    }
    bars.append(
      bar("change.regions-10000", "the same, 10,000 regions", value(.changeOf10000, "nanoseconds") / 1000, 5, "us"))
    for (threads, job) in [(1, LiveJob.filter1), (8, .filter8), (64, .filter64)] {
      bars.append(
        bar("filter.threads-\(threads)", "a change that needs a filter", value(job, "nanoseconds") / 1000, 60, "us"))
    }
    bars += [
      bar("worst.filters", "filters where nothing can be widened", value(.worstCase, "filters"), 25, "filters"),
      bar(
        "worst.getppid-before-last", "getppid over none before the last filter", value(.worstCase, "beforeLast"), 1500,
        "ns"),
      bar("worst.getppid", "getppid over none, everything passed through", value(.worstCase, "overhead"), 5000, "ns"),
      bar("storm.wrong-answers", "8 threads, changes at full rate for 60 s", value(.storm, "wrong"), 0, "answers"),
    ]
    return bars
  }

  private static func launch(_ executable: FilePath, _ job: LiveJob) async throws -> [String: Double] {
    let result = try await Subprocess.run(
      .path(executable), arguments: ["live", job.rawValue], output: .bytes(limit: 1 << 16),
      error: .string(limit: 1 << 16))
    guard case .exited(0) = result.terminationStatus else {
      throw LiveFailure("\(job.rawValue): \(result.terminationStatus) \(result.standardError)")
    }
    return try JSONDecoder().decode([String: Double].self, from: Data(result.standardOutput))
  }
}
