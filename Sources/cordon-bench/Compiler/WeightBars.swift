import CompilerRivals
import CordonComparator
import FilterCompiler

/// Filters made for calls that are made more or less often, against the best of all trees. The figure is the worst of 200
/// small sets of calls, all that can be looked at exhaustively.
enum WeightBars {
  static func all() throws -> [Bar] {
    var worst = 0.0
    for seed in 1...200 as ClosedRange<UInt64> {
      let calls = WeightedCalls(count: 2 + Int(seed % 12), seed: seed)
      guard !calls.isEmpty else { continue }
      let (map, options) = (calls.specification.map, calls.specification.options)
      let program = try map.compile(options)
      guard let mean = program.expectedLength(calls.weights, on: map.architecture),
        try Prover.difference(FilterStack([program]), calls.specification) == nil
      else { return [bar(CompilerBars.wrong)] }
      worst = max(worst, mean / calls.optimum)
    }
    return [bar(worst)]
  }

  private static func bar(_ value: Double) -> Bar {
    Bar(
      name: "compiler.weights.expected-to-optimum", statement: "instructions a call, weighted: Cordon / the optimum",
      value: value, relation: .atMost, limit: 1.02, unit: "x")
  }
}
