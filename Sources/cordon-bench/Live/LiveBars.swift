import SystemPackage

/// The figures of changing sessions, with their bars.
enum LiveBars {
  /// Measures all of them, in processes of `executable`.
  static func measure(_ executable: FilePath) async -> [BenchDocument.Figure] {
    let results = await LiveResults(executable)
    func bar(
      _ name: String, _ limit: Double, _ unit: String, _ value: () throws(LiveFailure) -> Double
    ) -> BenchDocument.Figure {
      do throws(LiveFailure) {
        return BenchDocument.Figure(name: "live." + name, value: try value(), unit: unit, limit: limit)
      } catch {
        return BenchDocument.Figure(name: "live." + name, unit: unit, limit: limit, reason: error.description)
      }
    }
    func time(_ name: String, _ job: LiveJob, _ limit: Double) -> BenchDocument.Figure {
      bar(name, limit, "us") { () throws(LiveFailure) in try results.median(job, "nanoseconds") / 1000 }
    }
    func count(_ name: String, _ job: LiveJob, _ key: String, _ limit: Double, _ unit: String) -> BenchDocument.Figure {
      bar(name, limit, unit) { () throws(LiveFailure) in try results.highest(job, key) }
    }
    /// What a job adds to an untrapped getppid, over what the selector adds.
    func toSelector(_ name: String, _ job: LiveJob, _ limit: Double) -> BenchDocument.Figure {
      bar(name, limit, "x") { () throws(LiveFailure) in
        try results.median(job, "overhead") / results.median(.selectorOverhead, "overhead")
      }
    }
    return [
      // 10,000 changes in the arena: filters that they add, and getppid after them over before them.
      count("arena.filters", .arenaChanges, "filters", 0, "filters"),
      bar("arena.getppid-after-to-before", 1.05, "x") { () throws(LiveFailure) in
        try results.median(.arenaChanges, "ratio")
      },
      toSelector("automatic.getppid-1-to-selector", .automaticOverhead1, 0.65),
      toSelector("automatic.getppid-1000-to-selector", .automaticOverhead1000, 0.65),
      // 1,000 changes at any addresses.
      count("scattered.filters", .scattered, "filters", 4, "filters"),
      toSelector("scattered.getppid-to-selector", .scattered, 2.5),
      count("scattered.passed-through", .scattered, "caught", 0, "calls"),
      count("scattered.many-libraries.filters", .scatteredManyLibraries, "filters", 4, "filters"),
      // A change without a filter, and one that needs one.
      time("change.threads-1", .change1, 5), time("change.threads-8", .change8, 5),
      time("change.threads-64", .change64, 5), time("change.regions-10000", .changeOf10000, 5),
      time("filter.threads-1", .filter1, 60), time("filter.threads-8", .filter8, 60),
      time("filter.threads-64", .filter64, 60),
      // A filter that traps libc's calls: what it takes to have all other threads, which sleep, stand still.
      time("stop.threads-1", .stop1, 200), time("stop.threads-8", .stop8, 1_000),
      time("stop.threads-64", .stop64, 5_000),
      // Where nothing can be widened: getppid over none before the last filter, and when everything is passed through.
      count("worst.filters", .worstCase, "filters", 25, "filters"),
      bar("worst.getppid-before-last", 1500, "ns") { () throws(LiveFailure) in
        try results.median(.worstCase, "filters-24")
      },
      bar("worst.getppid", 5000, "ns") { () throws(LiveFailure) in try results.median(.worstCase, "overhead") },
      // The same where others have used up nearly all of the kernel's budget: the last filter comes earlier.
      count("worst.in-container.filters", .worstCaseInContainer, "filters", 24, "filters"),
      bar("worst.in-container.getppid", 5000, "ns") { () throws(LiveFailure) in
        try results.median(.worstCaseInContainer, "overhead")
      },
      // 8 threads that call without pause, changes at full rate for 60 s.
      count("storm.filters.wrong-answers", .stormOfFilters, "wrong", 0, "answers"),
      count("storm.filters.lost-calls", .stormOfFilters, "lost", 0, "calls"),
      count("storm.dispatch.wrong-answers", .stormOfDispatch, "wrong", 0, "answers"),
      count("storm.dispatch.lost-calls", .stormOfDispatch, "lost", 0, "calls"),
    ]
  }
}
