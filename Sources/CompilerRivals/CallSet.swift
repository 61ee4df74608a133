package import FilterCompiler
import SeededNumbers

/// The calls that a filter on the number alone allows: what all compilers are measured on.
package struct CallSet: Sendable, Hashable {
  /// The numbers of the calls there are: 0 and up.
  package let count: UInt32
  /// Those that are allowed, in ascending order.
  package let allowed: [UInt32]

  /// A random set, the same for the same seed.
  package init(allowing allowed: Int, of count: UInt32, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    self.count = count
    self.allowed = (0..<count).shuffled(using: &generator).prefix(allowed).sorted()
  }

  /// A set of these numbers.
  package init(_ allowed: some Sequence<UInt32>, of count: UInt32) {
    self.count = count
    self.allowed = allowed.sorted()
  }

  /// A random set of a few runs of neighbours, refused and allowed in turn: some single numbers, some longer runs.
  package init(runs: Int, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let singles = Int.random(in: 0...3, using: &generator)
    var isAllowed = Bool.random(using: &generator)
    var allowed: [UInt32] = []
    var next: UInt32 = 0
    for _ in 0..<runs {
      let isSingle = Int.random(in: 0..<3, using: &generator) < singles
      let end = next + (isSingle ? 1 : UInt32.random(in: 2...9, using: &generator))
      if isAllowed { allowed += next..<end }
      isAllowed.toggle()
      next = end
    }
    self.init(allowed, of: next)
  }

  /// The least cost of any filter for it: eBPF instructions times instructions on the longest way. It has at most 13 runs
  /// of neighbours, allowed and refused, and one that is allowed.
  package var leastCost: Int {
    var atoms: [SmallestTree.Atom] = []
    var next: UInt32 = 0
    for run in runs {
      if next < run.lowerBound { atoms.append(SmallestTree.Atom(answer: 0, isSingle: next + 1 == run.lowerBound)) }
      atoms.append(SmallestTree.Atom(answer: 1, isSingle: run.count == 1))
      next = run.upperBound + 1
    }
    atoms.append(SmallestTree.Atom(answer: 0, isSingle: false))
    return SmallestTree.cost(atoms, besides: Self.surroundings)
  }

  // What the kernel puts in front (3), the test of the architecture, whose constant is above 2^31 (1 + 2), the number (1),
  // and a return for each answer (2 each).
  private static let surroundings: SmallestTree.Surroundings = (size: 13, length: 4)

  /// What becomes of the other calls.
  package static let refusal = Action(.errno, data: 1)
  /// What becomes of calls of another architecture.
  package static let otherArchitecture = Action(.killProcess)

  /// The allowed numbers in runs of neighbours, in ascending order.
  package var runs: [ClosedRange<UInt32>] {
    var runs: [ClosedRange<UInt32>] = []
    for number in allowed {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs
  }

  /// How many boundaries lie between allowed and refused runs of numbers.
  package var boundaries: Int { runs.reduce(0) { $0 + ($1.lowerBound == 0 ? 0 : 1) + ($1.upperBound == .max ? 0 : 1) } }

  /// What a filter for it has to do.
  package var specification: RegionSpecification {
    RegionSpecification(
      RegionMap(architecture: .x86_64, default: .errno(Self.refusal.data)),
      CompileOptions(
        checkedArchitectures: [.x86_64], otherArchitecture: .killProcess, allowedNumbers: allowed))
  }
}
