import Testing

@testable import CordonComparator

@Suite struct BarTests {
  private func untrapped(none: Double, seccomp: Double, selector: Double) -> Bar? {
    Bar.all(
      in: results([
        ("none", "getppid", [none]), ("seccomp", "getppid", [seccomp]), ("sud-selector", "getppid", [selector]),
      ])
    ).first
  }

  @Test func `the untrapped bar compares what is added, not what it costs in all`() throws {
    let bar = try #require(untrapped(none: 100, seccomp: 157, selector: 150))
    #expect(abs(bar.value - 1.14) < 0.001)
    #expect(bar.verdict == .ok)
    #expect(try #require(untrapped(none: 100, seccomp: 158, selector: 150)).verdict == .missed)
  }

  @Test func `a bar without a measure is not there`() {
    #expect(untrapped(none: 100, seccomp: 157, selector: 100) == nil)
    #expect(untrapped(none: 100, seccomp: 157, selector: 99) == nil)
    #expect(Bar.all(in: results([("seccomp", "getppid", [1]), ("sud-selector", "getppid", [1])])).isEmpty)
    #expect(Bar.all(in: results([])).isEmpty)
  }

  @Test func `a promise without a measure says what is missing`() {
    var found = results([
      ("none", "getppid", [1]), ("seccomp", "getppid", [2]), ("sud-selector", "getppid", [3]),
      ("seccomp", "trap-value", [1]), ("sud-selector", "trap-value", [1]),
    ])
    let last = found.combinations[4]
    found[last].record(.unavailable(reason: "this kernel has no syscall user dispatch"), round: 0)
    let lines = Promise.all.map { promise in promise.bar(in: found) == nil ? promise.obstacle(in: found) : "measured" }
    #expect(
      lines == [
        "measured", "trap-value under sud-selector: this kernel has no syscall user dispatch",
        "regions-1024 under seccomp: not asked for", "activation under seccomp: not asked for",
        "harness under none: not asked for",
      ])
    let equal = results([("none", "getppid", [1]), ("seccomp", "getppid", [2]), ("sud-selector", "getppid", [1])])
    #expect(Promise.all[0].bar(in: equal) == nil && Promise.all[0].obstacle(in: equal) == "its figures have no ratio")
  }

  @Test func `the trapped bar is a ratio of costs within a round`() throws {
    let found = Bar.all(
      in: results([
        ("seccomp", "trap-value", [1_080, 2_160, 1_090]), ("sud-selector", "trap-value", [1_000, 2_000, 1_000]),
      ]))
    let bar = try #require(found.first)
    #expect(abs(bar.value - 1.08) < 0.001)
    #expect(bar.verdict == .ok)
  }

  @Test func `a bar whose limit lies within the interval is unsure`() throws {
    func trapped(_ rounds: [Double]) throws -> Bar {
      try #require(
        Bar.all(
          in: results([
            ("seccomp", "trap-value", rounds), ("sud-selector", "trap-value", rounds.map { _ in 1_000 }),
          ])
        ).first)
    }
    let steady = try trapped([1_050, 1_051, 1_052, 1_049, 1_050, 1_048])
    #expect(steady.verdict == .ok && steady.holds)
    let over = try trapped([1_150, 1_151, 1_152, 1_149, 1_150, 1_148])
    #expect(over.verdict == .missed && !over.holds)
    let scattered = try trapped([1_000, 1_200, 1_010, 1_210, 1_005, 1_090])
    #expect(scattered.verdict == .unsure && scattered.holds)
    let interval = try #require(scattered.interval)
    #expect(interval[0] < 1.10 && 1.10 < interval[1])
  }

  @Test func `the untrapped bar has the interval of a ratio of differences, round by round`() throws {
    let drift = [0.0, 50, 100, 20, 70, 10, 30]
    let bar = try #require(
      Bar.all(
        in: results([
          ("none", "getppid", drift.map { 100 + $0 }), ("seccomp", "getppid", drift.map { 140 + $0 }),
          ("sud-selector", "getppid", drift.map { 150 + $0 }),
        ])
      ).first)
    #expect(abs(bar.value - 0.8) < 0.001)
    let interval = try #require(bar.interval)
    #expect(abs(interval[0] - 0.8) < 0.001 && abs(interval[1] - 0.8) < 0.001)
    #expect(bar.verdict == .ok)
  }

  @Test func `what measuring adds is judged where it is most`() throws {
    let bar = try #require(
      Bar.all(
        in: results([("none", "harness", [1.2]), ("seccomp", "harness", [2.5]), ("sud-selector", "harness", [9])])
      ).first)
    #expect(bar.value == 2.5)
    #expect(bar.limit == 2 && bar.unit == "ns" && bar.verdict == .missed)
  }

  @Test(arguments: [(4_900_000.0, Bar.Verdict.ok), (5_000_000, .missed), (8_000_000, .missed)])
  func `activation takes less than five milliseconds`(nanoseconds: Double, verdict: Bar.Verdict) throws {
    let bar = try #require(Bar.all(in: results([("seccomp", "activation", [nanoseconds])])).first)
    #expect(bar.verdict == verdict)
    #expect(bar.unit == "ms")
  }
}
