import CompilerRivals
import CordonComparator
import FilterCompiler

/// 1,000 random regions among gaps in which no code lies, wherever they lie and whatever the gaps are. Each figure is that
/// of the map for which it is worst.
enum GapBars {
  static func all() throws -> [Bar] {
    var (size, compilation, proof) = (0.0, 0.0, 0.0)
    for ground in GapMap.Ground.allCases {
      for gaps in GapMap.Gaps.allCases {
        let map = try GapMap(ground, gaps, count: 1000, seed: 2020).map
        let program = try map.compile()
        compilation = max(compilation, try CompilerBars.milliseconds(runs: 21) { _ = try map.compile() })
        var isRight = false
        proof = max(
          proof,
          try CompilerBars.milliseconds(runs: 3) {
            isRight = try Prover.difference(FilterStack([program]), RegionSpecification(map)) == nil
          })
        size = isRight ? max(size, Double(program.instructions.count) / 1000) : CompilerBars.wrong
      }
    }
    return [
      Bar(
        name: "compiler.gaps.instructions-per-region", statement: "1,000 regions among gaps: instructions a region",
        value: size, relation: .atMost, limit: 2.5, unit: "instructions"),
      Bar(
        name: "compiler.gaps.compilation", statement: "compiling them", value: compilation, relation: .below, limit: 10,
        unit: "ms"),
      Bar(
        name: "compiler.gaps.proof", statement: "proving the filter", value: proof, relation: .below, limit: 1000,
        unit: "ms"),
    ]
  }
}
