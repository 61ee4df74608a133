import CompilerRivals
import CordonComparator
import FilterCompiler

/// Small sets of calls, all trees for which can be looked at: how near the compiler comes to the least cost there is. The
/// figures are the worst and the mean of 1,000 sets.
enum SmallBars {
  static func all() throws -> [Bar] {
    var (worst, sum, count) = (0.0, 0.0, 0.0)
    for seed in 1...1000 as ClosedRange<UInt64> {
      let set = CallSet(runs: 2 + Int(seed % 10), seed: seed)
      let program = try set.specification.map.compile(set.specification.options)
      let isRight = try Prover.difference(FilterStack([program]), set.specification) == nil
      let ratio = Double(program.translatedLength * program.pathLengths.longest) / Double(set.leastCost)
      // No filter is better than the best of all; if one were, the count of trees would be wrong.
      worst = isRight && ratio >= 1 ? max(worst, ratio) : CompilerBars.wrong
      sum += ratio
      count += 1
    }
    return [
      Bar(
        name: "compiler.small.cost-to-optimum-worst",
        statement: "eBPF length x longest way: Cordon / the optimum, worst",
        value: worst, relation: .atMost, limit: 1.2, unit: "x"),
      Bar(
        name: "compiler.small.cost-to-optimum-mean", statement: "eBPF length x longest way: Cordon / the optimum, mean",
        value: sum / count, relation: .atMost, limit: 1.02, unit: "x"),
    ]
  }
}
