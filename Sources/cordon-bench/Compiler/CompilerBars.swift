import CompilerRivals
import CordonComparator
import FilterCompiler

/// The compiler's promises, measured: how small its filters are, how short their ways, how fast they are made and proved.
enum CompilerBars {
  /// What measures them, in the order in which they are printed. A program that is not proved equal to what it was compiled
  /// from misses its bar whatever its figures are.
  static let groups: [MeasuredGroup] = [
    group("numbers", NumberBars.all), group("small", SmallBars.all), group("gaps", GapBars.all),
    group("weights", WeightBars.all), group("proof", ProofBars.all),
  ]

  private static func group(_ name: String, _ measure: @escaping @Sendable () throws -> [Bar]) -> MeasuredGroup {
    MeasuredGroup(name: "compiler." + name) { try measure().map(BenchDocument.Figure.init) }
  }

  /// The median time of an odd number of runs, in ms.
  static func milliseconds(runs: Int, _ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    var times: [Duration] = []
    for _ in 0..<runs { times.append(try clock.measure(body)) }
    return times.sorted()[runs / 2] / .milliseconds(1)
  }

  /// Stands for a figure of a filter that is wrong.
  static let wrong = 1e300
}
