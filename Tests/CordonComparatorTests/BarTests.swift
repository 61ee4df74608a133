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

  @Test func `the trapped bar is a ratio of costs within a round`() throws {
    let found = Bar.all(
      in: results([
        ("seccomp", "trap-value", [1_100, 2_200, 1_111]), ("sud-selector", "trap-value", [1_000, 2_000, 1_000]),
      ]))
    let bar = try #require(found.first)
    #expect(abs(bar.value - 1.1) < 0.001)
    #expect(bar.verdict == .ok)
  }

  @Test(arguments: [(4_900_000.0, Bar.Verdict.ok), (5_000_000, .missed), (8_000_000, .missed)])
  func `activation takes less than five milliseconds`(nanoseconds: Double, verdict: Bar.Verdict) throws {
    let bar = try #require(Bar.all(in: results([("seccomp", "activation", [nanoseconds])])).first)
    #expect(bar.verdict == verdict)
    #expect(bar.unit == "ms")
  }
}
