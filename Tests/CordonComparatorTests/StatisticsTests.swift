import Testing

@testable import CordonComparator

@Suite struct StatisticsTests {
  @Test func `the median is the middle, or between the two in the middle`() {
    #expect(Statistics.median(of: []) == nil)
    #expect(Statistics.median(of: [7]) == 7)
    #expect(Statistics.median(of: [9, 1, 5]) == 5)
    #expect(Statistics.median(of: [4, 1, 3, 2]) == 2.5)
  }

  @Test func `an overhead is found through a drift that is larger than it`() {
    let baseline = series(100, 200, 400, 150, 120)
    let measured = series(110, 210, 410, 160, 130)
    #expect(Statistics.pairedDifference(measured, over: baseline) == 10)
    #expect(Statistics.pairedRatio(measured, to: baseline) == 160.0 / 150)
  }

  @Test func `one disturbed round does not change an overhead`() {
    #expect(Statistics.pairedDifference(series(110, 999, 110), over: series(100, 100, 100)) == 10)
  }

  @Test func `rounds that only one of two has do not count`() {
    var late = Series()
    late.record(measurement(130), round: 2)
    #expect(Statistics.pairedDifference(late, over: series(1, 2, 100)) == 30)
    #expect(Statistics.pairedDifference(late, over: series(1, 2)) == nil)
    #expect(Statistics.pairedRatio(late, to: series(1, 2)) == nil)
  }

  @Test func `a ratio to nothing is none`() {
    #expect(Statistics.pairedRatio(series(5), to: series(0)) == nil)
  }
}

@Suite struct SeriesTests {
  @Test func `figures are over the samples of all rounds`() {
    var series = Series()
    series.record(Measurement(operationsPerSample: 10, picoseconds: (1...50).map { $0 * 1_000 }), round: 0)
    series.record(Measurement(operationsPerSample: 20, picoseconds: (51...100).map { $0 * 1_000 }), round: 1)
    #expect(series.samples == 100)
    #expect(series.operations == 50 * 10 + 50 * 20)
    #expect(series.minimum == 1)
    #expect(abs(series.median - 50) < 0.01)
    #expect(abs(series.p99 - 99) < 0.01)
    #expect(series.roundMedians == [0: 25.5, 1: 75.5])
  }

  @Test func `differences far below a nanosecond survive`() {
    let first = series(121.03)
    let second = series(121.05)
    #expect(second.median - first.median > 0.01)
    #expect(second.median - first.median < 0.04)
  }

  @Test func `spread is how far rounds lie apart, whatever one of them does`() {
    #expect(series(100).spread == 0)
    #expect(series(98, 99, 100, 102, 5_000).spread == 2)
  }

  @Test func `samples from nothing to seconds are kept`() {
    var series = Series()
    series.record(Measurement(operationsPerSample: 1, picoseconds: [0, 10_000_000_000_000]), round: 0)
    #expect(series.samples == 2)
    #expect(series.minimum == 0)
    #expect(abs(series.p99 - 1e10) < 1e6)
  }
}
