import Testing

@testable import CordonComparator

@Suite struct NoiseTests {
  private let quiet: [(mechanism: String, workload: String, rounds: [Double])] = [
    ("none", "getppid", [100, 101, 100, 99, 100, 101, 100, 99, 100]),
    ("seccomp", "getppid", [150, 151, 150, 149, 150, 151, 150, 149, 150]),
  ]

  @Test func `a quiet machine gives no reason to doubt`() {
    let noise = Noise(results(quiet), loadBefore: [0.2, 0, 0], processors: 2)
    #expect(!noise.isTooMuch && noise.reasons.isEmpty)
    #expect(noise.ratios == 1 && noise.unsureRatios == 0)
    #expect(noise.words.hasPrefix("little: "))
  }

  @Test func `load, steal and other work on the processor are each a reason`() {
    var found = results(quiet)
    #expect(Noise(found, loadBefore: [1.5], processors: 2).reasons == ["the machine was busy before (load 1.50)"])
    found.steal = 0.05
    #expect(Noise(found).reasons == ["other machines took 5.0 % of the processors"])
    found.steal = 0.01
    #expect(!Noise(found).isTooMuch)
    var waited = measurement(100)
    waited.elapsed = 1_000
    waited.waited = 300
    found[found.combinations[0]].record(.measured(waited), round: 9)
    #expect(Noise(found).reasons == ["other work had the measuring processor for 30.0 % of the time"])
    // What the load before would only suggest is known then.
    #expect(Noise(found, loadBefore: [9], processors: 2).reasons == Noise(found).reasons)
  }

  @Test func `native calls that take longer and longer are a drift`() throws {
    let slow = Noise(results([("none", "getppid", [100, 100, 100, 105, 105, 105, 110, 110, 110])]))
    #expect(abs(try #require(slow.drift) - 0.1) < 0.001)
    #expect(slow.reasons == ["native calls took 10.0 % more at the end than at the start"])
    let fast = Noise(results([("none", "getppid", [110, 110, 110, 105, 105, 105, 100, 100, 100])]))
    #expect(fast.reasons.first?.contains("less at the end") == true)
    // Too few rounds tell no drift.
    #expect(Noise(results([("none", "getppid", [100, 105, 110])])).drift == nil)
  }

  @Test func `ratios that scatter from round to round are known badly`() {
    let noise = Noise(
      results([
        ("none", "getppid", [100, 100, 100, 100, 100]), ("seccomp", "getppid", [150, 250, 130, 300, 170]),
      ]))
    #expect(noise.ratios == 1 && noise.unsureRatios == 1)
    #expect(noise.reasons == ["1 of 1 ratios are known no better than to 5 %"])
    #expect(noise.words.hasPrefix("TOO MUCH: 1 of 1 ratios"))
  }
}

@Suite struct ProcessorTimesTests {
  @Test func `steal is a share of all time that has passed`() throws {
    let before = try #require(ProcessorTimes("cpu  100 0 100 800 0 0 0 0 0 0"))
    let after = try #require(ProcessorTimes("cpu  150 0 100 820 0 0 0 30 50 0"))
    #expect(after.steal(since: before) == 0.3)
    #expect(before.steal(since: before) == nil)
    #expect(ProcessorTimes("intr 1 2 3 4 5 6 7 8 9") == nil && ProcessorTimes("cpu 1 2") == nil)
  }

  @Test func `this machine says what its processors have done`() {
    #expect(ProcessorTimes.current() != nil)
  }
}
