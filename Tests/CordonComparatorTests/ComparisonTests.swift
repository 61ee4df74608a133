import SeededNumbers
import Synchronization
import Testing

@testable import CordonComparator

@Suite struct ComparisonTests {
  private let combinations = ["a", "b", "c", "d", "e", "f"].map { Combination(mechanism: $0, workload: "w") }
  private func extent(rounds: Int, budget: Duration = .seconds(60)) -> Extent {
    Extent(rounds: rounds, sampling: Sampling(warmUp: 0, duration: 0, batch: 0), budget: budget)
  }

  /// Notes which combinations are measured, in their order.
  private final class Log: Sendable {
    private let entries = Mutex<[String]>([])
    func note(_ combination: Combination) -> Int {
      entries.withLock { entries in
        entries.append(combination.mechanism)
        return entries.count
      }
    }
    var all: [String] { entries.withLock { $0 } }
  }

  @Test func `each combination is measured once a round, in changing and repeatable orders`() async throws {
    func order() async throws -> [[String]] {
      let log = Log()
      let comparison = Comparison(combinations: combinations, extent: extent(rounds: 5)) { combination in
        _ = log.note(combination)
        return .measured(measurement(1))
      }
      let results = try #require(await comparison.run())
      #expect(results.rounds == 5)
      #expect(combinations.allSatisfy { results[$0].series?.samples == 5 })
      return stride(from: 0, to: log.all.count, by: 6).map { Array(log.all[$0..<$0 + 6]) }
    }
    let rounds = try await order()
    #expect(rounds.count == 5)
    #expect(rounds.allSatisfy { $0.sorted() == ["a", "b", "c", "d", "e", "f"] })
    #expect(Set(rounds).count > 1)
    #expect(try await order() == rounds)
  }

  @Test func `what cannot be measured stays a row with its reason, and is not tried again`() async throws {
    let log = Log()
    let comparison = Comparison(combinations: combinations, extent: extent(rounds: 3)) { combination in
      _ = log.note(combination)
      switch combination.mechanism {
      case "b": return .unavailable(reason: "no such kernel")
      case "c": return .failed(reason: "crashed")
      default: return .measured(measurement(5))
      }
    }
    let results = try #require(await comparison.run())
    #expect(results.combinations == combinations)
    #expect(results[combinations[0]].series?.median == 5)
    #expect(results[combinations[1]].reason == "no such kernel" && results[combinations[1]].series == nil)
    #expect(results[combinations[2]].reason == "crashed" && results[combinations[2]].series == nil)
    #expect(log.all.count { $0 == "b" } == 1 && log.all.count { $0 == "a" } == 3)
  }

  @Test func `what takes long is measured in some rounds, the first among them`() async throws {
    let log = Log()
    var comparison = Comparison(combinations: combinations, extent: extent(rounds: 9)) { combination in
      _ = log.note(combination)
      return .measured(measurement(1))
    }
    comparison.period = { $0.mechanism == "a" ? 4 : 1 }
    let results = try #require(await comparison.run())
    #expect(results.rounds == 9)
    #expect(results[combinations[0]].series?.roundMedians.keys.sorted() == [0, 4, 8])
    #expect(log.all.count { $0 == "b" } == 9)
  }

  @Test func `rounds in which nothing is due do not end it`() async throws {
    var comparison = Comparison(combinations: combinations, extent: extent(rounds: 5)) { _ in .measured(measurement(1))
    }
    comparison.period = { _ in 4 }
    let results = try #require(await comparison.run())
    #expect(results.rounds == 5 && results[combinations[0]].series?.samples == 2)
  }

  @Test func `where nothing is left to measure it ends`() async throws {
    let comparison = Comparison(combinations: combinations, extent: extent(rounds: 1_000)) { _ in
      .unavailable(reason: "never")
    }
    #expect(try #require(await comparison.run()).rounds == 1)
  }

  @Test func `no round is begun that would go past the budget, but one is always made`() async throws {
    let comparison = Comparison(combinations: combinations, extent: extent(rounds: 9, budget: .zero)) { _ in
      .measured(measurement(1))
    }
    #expect(try #require(await comparison.run()).rounds == 1)
  }

  /// A comparison that is told to stop during the measurement with this number, and how many there were.
  private func stopped(duringMeasurement number: Int) async -> (results: ComparisonResults?, measurements: Int) {
    let log = Log()
    let stop = Atomic(false)
    let comparison = Comparison(combinations: combinations, extent: extent(rounds: 9)) { combination in
      if log.note(combination) == number { stop.store(true, ordering: .relaxed) }
      return .measured(measurement(1))
    }
    let results = await comparison.run(shouldStop: { stop.load(ordering: .relaxed) })
    return (results, log.all.count)
  }

  @Test func `it stops before the next measurement and keeps what was found, marked as partial`() async throws {
    let (results, measurements) = await stopped(duringMeasurement: 8)
    #expect(measurements == 8)
    let found = try #require(results)
    #expect(found.isPartial && found.rounds == 1)
    // The one that was interrupted does not count.
    #expect(found.combinations.map { found[$0].series?.samples ?? 0 }.reduce(0, +) == 7)
  }

  @Test func `stopped in the first round there is nothing to tell`() async {
    #expect(await stopped(duringMeasurement: 3).results == nil)
  }

  @Test func `progress goes from nothing to all and names what is measured`() async throws {
    let comparison = Comparison(combinations: combinations, extent: extent(rounds: 2)) { _ in .measured(measurement(1))
    }
    var seen: [Comparison.Progress] = []
    _ = await comparison.run(progress: { seen.append($0) })
    #expect(seen.count == 12)
    #expect(seen.first?.fraction == 0 && seen.first?.round == 1)
    #expect(seen.map(\.fraction) == seen.map(\.fraction).sorted())
    #expect(try #require(seen.last).fraction < 1)
    #expect(seen.last?.round == 2 && seen.last?.rounds == 2)
  }

  @Test func `the generator is the published one`() {
    var generator = SplitMix64(seed: 1_234_567)
    #expect(generator.next() == 6_457_827_717_110_365_317)
    #expect(generator.next() == 3_203_168_211_198_807_973)
  }
}
