import CordonComparator
import Testing

@testable import cordon_bench

/// `make bench`: a bar that nobody knows of is not kept.
@Suite struct BenchTests {
  private struct Failure: Error {}

  private func group(_ name: String, _ figures: [BenchDocument.Figure]?) -> MeasuredGroup {
    MeasuredGroup(name: name) {
      guard let figures else { throw Failure() }
      return figures
    }
  }

  private let kept = BenchDocument.Figure(name: "kept", value: 1, unit: "ms", limit: 1)
  private let missed = BenchDocument.Figure(name: "missed", value: 2, unit: "ms", limit: 1)
  private let unknown = BenchDocument.Figure(
    name: "unknown", unit: "x", relation: .below, limit: 5, reason: "no strace")

  private func measure(_ groups: [MeasuredGroup]) async -> (
    outcome: MeasuredGroup.Outcome, shown: [String], said: [String]
  ) {
    var shown: [String] = []
    var said: [String] = []
    let outcome = await MeasuredGroup.measureAll(
      groups, show: { shown += $0.map(\.line) }, complain: { said.append($0) })
    return (outcome, shown, said)
  }

  @Test func aGroupThatFailsIsSaidToAndTheOthersAreMeasured() async {
    let (outcome, shown, said) = await measure([group("one", [kept]), group("two", nil), group("three", [kept])])
    #expect(shown.count == 2 && outcome.figures.count == 2)
    #expect(said == ["two could not be measured: Failure()"] && outcome.failed == ["two"])
    #expect(!outcome.isGood, "whose bars nobody knows")
  }

  @Test func allBarsHaveToHold() async {
    #expect(await measure([group("one", [kept]), group("two", [kept])]).outcome.isGood)
    #expect(await !measure([group("one", [kept, missed])]).outcome.isGood)
    let (outcome, shown, said) = await measure([group("one", [unknown, kept])])
    #expect(!outcome.isGood && said.isEmpty)
    #expect(shown.first == "unknown - x  bar < 5.00  not measured: no strace")
  }
}
