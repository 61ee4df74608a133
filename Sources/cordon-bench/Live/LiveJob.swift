import Cordon
import Glibc

/// One measurement of changing sessions, made in a process of its own: a session is activated once, and stays.
enum LiveJob: String, CaseIterable {
  case arenaChanges, selectorOverhead, automaticOverhead1, automaticOverhead1000
  case scattered, scatteredManyLibraries
  case worstCase, worstCaseInContainer
  case change1, change8, change64, changeOf10000, filter1, filter8, filter64, stop1, stop8, stop64
  case stormOfFilters, stormOfDispatch
  case filterOverhead, memoryMapCalls

  /// How many processes measure it; the median of them counts. 0 where no bar is about it.
  var rounds: Int {
    switch self {
    case .selectorOverhead, .automaticOverhead1, .automaticOverhead1000, .arenaChanges, .scattered: 15
    case .stormOfFilters, .stormOfDispatch: 1
    case .filterOverhead, .memoryMapCalls: 0
    default: 5
    }
  }

  /// How many seconds one process may take.
  static let limit: UInt32 = 180

  /// Measures, in this process, which is new.
  func run() throws -> [String: Double] {
    switch self {
    case .arenaChanges: try ArenaChanges.run()
    case .selectorOverhead: try Overhead.run(.sudSelector, regions: 1)
    case .automaticOverhead1: try Overhead.run(.automatic, regions: 1)
    case .automaticOverhead1000: try Overhead.run(.automatic, regions: 1000)
    case .scattered: try ScatteredChanges.run(libraries: 20, librarySize: 4 << 20)
    case .scatteredManyLibraries: try ScatteredChanges.run(libraries: 100, librarySize: 64 << 20)
    case .worstCase: try ScatteredChanges.worstCase()
    case .worstCaseInContainer: try ScatteredChanges.worstCase(used: 32_300)
    case .change1: try ChangeTimes.withoutFilter(threads: 1, regions: 100)
    case .change8: try ChangeTimes.withoutFilter(threads: 8, regions: 100)
    case .change64: try ChangeTimes.withoutFilter(threads: 64, regions: 100)
    case .changeOf10000: try ChangeTimes.withoutFilter(threads: 8, regions: 10_000)
    case .filter1: try ChangeTimes.withFilter(threads: 1)
    case .filter8: try ChangeTimes.withFilter(threads: 8)
    case .filter64: try ChangeTimes.withFilter(threads: 64)
    case .stop1: try ChangeTimes.withThreadsStopped(threads: 1)
    case .stop8: try ChangeTimes.withThreadsStopped(threads: 8)
    case .stop64: try ChangeTimes.withThreadsStopped(threads: 64)
    case .stormOfFilters: try Storm.run(.seccomp, seconds: 60, pages: 20)
    case .stormOfDispatch: try Storm.run(.sudInclusive, seconds: 60, pages: 200)
    case .filterOverhead: try Overhead.run(.seccomp, regions: 1)
    case .memoryMapCalls: try MemoryMapCosts.run()
    }
  }
}

/// What a measurement could not be made for.
struct LiveFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
