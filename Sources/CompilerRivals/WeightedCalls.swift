package import FilterCompiler
import SeededNumbers

/// A few calls with answers of their own and counts as chance has them: small enough that all trees can be looked at.
package struct WeightedCalls: Sendable, Hashable {
  package let weights: CallWeights
  package let specification: RegionSpecification
  /// How many instructions a call meets before its number is tested, and for its answer.
  private static let surroundings = 4.0
  private static let refused = Disposition.errno(1)

  private let answers: [Int]
  private let counts: [UInt64]

  /// The calls 0 ..< `count`: some are allowed, some trap, the others and all higher ones are refused.
  package init(count: Int, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let answers = (0..<count).map { _ in [0, 0, 0, 0, 1, 1, 1, 2][Int.random(in: 0..<8, using: &generator)] }
    // Some are made a thousand times as often as others.
    let widest = UInt64.random(in: 1...10, using: &generator)
    let counts = (0..<count).map { _ in
      (UInt64.random(in: 0...1000, using: &generator) >> UInt64.random(in: 0...10, using: &generator))
        << UInt64.random(in: 0..<widest, using: &generator)
    }
    var numbers: [UInt32: UInt64] = [:]
    for (number, count) in counts.enumerated() where count > 0 { numbers[UInt32(number)] = count }
    func those(_ answer: Int) -> [UInt32] { answers.indices.filter { answers[$0] == answer }.map(UInt32.init) }
    weights = CallWeights(numbers: numbers)
    specification = RegionSpecification(
      RegionMap(architecture: .x86_64, default: Self.refused),
      CompileOptions(
        checkedArchitectures: [.x86_64], allowedNumbers: those(0), globalTrapNumbers: those(2), weights: weights))
    self.answers = answers
    self.counts = counts
  }

  /// Whether any call is made at all.
  package var isEmpty: Bool { weights.numbers.isEmpty }

  /// The least mean of instructions that a filter can have.
  package var optimum: Double {
    // Where all calls are refused the number is not loaded.
    if answers.allSatisfy({ $0 == 1 }) { return Self.surroundings - 1 }
    var atoms = answers.indices.map {
      OptimalTree.Atom(answer: answers[$0], isSingle: true, calls: Double(counts[$0]))
    }
    atoms.append(OptimalTree.Atom(answer: 1, isSingle: false, calls: 0))
    return Self.surroundings + OptimalTree.tests(atoms)
  }
}
