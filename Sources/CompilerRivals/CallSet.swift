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
