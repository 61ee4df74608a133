import CompilerRivals
import CordonComparator
import FilterCompiler

/// Programs of about 1,900 instructions: two that do the same by different trees, and one of which a constant was changed.
enum ProofBars {
  static func all() throws -> [Bar] {
    // As many regions as make filters of that size.
    let map = try GapMap(.apart, .beneathLines, count: 1100, seed: 1900).map
    let first = try map.compile()
    var code: [AddressRange: UInt64] = [:]
    for (index, region) in map.regions.enumerated() { code[region.range] = UInt64(1 + index * index % 997) }
    let second = try map.compile(CompileOptions(weights: CallWeights(code: code)))
    var difference: Counterexample?
    let equal = try CompilerBars.milliseconds(runs: 3) {
      difference = try Prover.difference(FilterStack([first]), FilterStack([second]))
    }
    let mutant = try mutant(of: second)
    var found: Counterexample?
    let caught = try CompilerBars.milliseconds(runs: 3) {
      found = try Prover.difference(FilterStack([first]), FilterStack([mutant]))
    }
    let sizes = "\(first.instructions.count) and \(second.instructions.count) instructions"
    return [
      Bar(
        name: "compiler.proof.equal-1900", statement: "\(sizes) proved equal",
        value: difference == nil ? equal : CompilerBars.wrong, relation: .below, limit: 1000, unit: "ms"),
      Bar(
        name: "compiler.proof.mutant-1900", statement: "\(sizes), one constant changed: the difference found",
        value: found == nil ? CompilerBars.wrong : caught, relation: .below, limit: 1000, unit: "ms"),
    ]
  }

  /// The program with one constant changed in the middle of it: the bound of a region, by one.
  private static func mutant(of program: Program) throws -> Program {
    var instructions = program.instructions
    let bounds = program.operations.indices.filter { index in
      guard case .branch(.greaterOrEqual, .constant, _, _) = program.operations[index] else { return false }
      return true
    }
    let index = bounds[bounds.count / 2]
    let old = instructions[index]
    instructions[index] = Instruction(code: old.code, jt: old.jt, jf: old.jf, k: old.k + 1)
    return try Program(instructions)
  }
}
