import CompilerRivals
import CordonComparator
import FilterCompiler

/// Sets of 300 of 335 calls, against what others compile of them. Each figure is that of the set for which it is worst.
enum NumberBars {
  private struct Figures {
    var boundary = -Double.infinity
    var height = -Double.infinity
    var translation = 0.0
    var ratios: [String: Double] = [:]
  }

  static func all() throws -> [Bar] {
    var worst = Figures()
    for seed in 1...20 as ClosedRange<UInt64> {
      let set = CallSet(allowing: 300, of: 335, seed: seed)
      let program = try set.specification.map.compile(set.specification.options)
      let isRight = try Prover.difference(FilterStack([program]), set.specification) == nil
      var height = 0
      while 1 << height < set.boundaries + 1 { height += 1 }
      func worse(_ old: Double, _ new: Double) -> Double { isRight ? max(old, new) : CompilerBars.wrong }
      worst.boundary = worse(worst.boundary, Double(program.instructions.count - set.boundaries))
      worst.height = worse(worst.height, Double(program.pathLengths.longest - height))
      worst.translation = worse(
        worst.translation, Double(program.translatedLength) / Double(program.instructions.count))
      for (name, rival) in try rivals(set) {
        worst.ratios[name] = worse(worst.ratios[name] ?? 0, cost(program) / cost(rival))
      }
    }
    let ratios = worst.ratios.sorted { $0.key < $1.key }.map { name, ratio in
      Bar(
        name: "compiler.numbers.cost-to-\(name)", statement: "eBPF length x longest way: Cordon / \(name)",
        value: ratio, relation: .below, limit: 1, unit: "x")
    }
    return [
      Bar(
        name: "compiler.numbers.instructions-over-boundaries", statement: "instructions less boundaries",
        value: worst.boundary, relation: .atMost, limit: 8, unit: "instructions"),
      Bar(
        name: "compiler.numbers.longest-over-log2", statement: "longest way less ceil(log2(boundaries + 1))",
        value: worst.height, relation: .atMost, limit: 5, unit: "instructions"),
      Bar(
        name: "compiler.numbers.ebpf-to-instructions", statement: "eBPF length / instructions",
        value: worst.translation, relation: .atMost, limit: 1.6, unit: "x"),
    ] + ratios
  }

  /// The cost that the compiler makes least.
  private static func cost(_ program: Program) -> Double {
    Double(program.translatedLength * program.pathLengths.longest)
  }

  private static func rivals(_ set: CallSet) throws -> [(String, Program)] {
    var rivals = [("chromium", try ChromiumCompiler.compile(set)), ("minijail", try MinijailCompiler.compile(set))]
    if let plain = LibseccompCompiler.compile(set, .priority) { rivals.append(("libseccomp", plain)) }
    if let tree = LibseccompCompiler.compile(set, .tree) { rivals.append(("libseccomp-tree", tree)) }
    return rivals
  }
}
