/// Calls with one number of whose arguments certain bits have certain values, and what becomes of them: what libseccomp
/// compiles rightly.
package struct ArgumentCube: Hashable, Sendable {
  /// Bits of one argument.
  package struct Bits: Hashable, Sendable {
    /// Which argument, 0...5.
    package let argument: Int
    /// The bits.
    package let mask: UInt64
    /// Their values.
    package let value: UInt64
  }

  /// The number, as the kernel reports it.
  package let number: UInt32
  /// The bits, an element for each argument that is looked at.
  package let bits: [Bits]
  /// What becomes of the calls.
  package let answer: Action
  /// The last rule that had a say.
  package let rule: Policy.RuleIndex
}

/// Some calls of a table, whose rules have been made cubes. What none of the cubes matches gets one answer: for each call
/// the one for which the fewest cubes are left, since `arg0 != 3` is 64 of them and its opposite one.
package struct LoweredCalls: Sendable {
  /// The numbers of the calls.
  package fileprivate(set) var numbers: [UInt32] = []
  /// Where two of them match a call they have the same answer.
  package fileprivate(set) var cubes: [ArgumentCube] = []
  /// What becomes of calls with one of the numbers that no cube matches.
  package let otherwise: Action

  /// As many cubes as fit into a filter, at six instructions each.
  static let mostCubes = 680
  /// As many instructions as a filter has, about.
  static let mostSteps = 4000
  /// The same for all calls of a table: what has been made of the bits again has to fit into one filter.
  static let mostStepsOfAll = 32_000
  /// Calls share a filter up to here: the time that libseccomp takes grows with the third power.
  static let comfortableSteps = 1500

  /// About how many instructions libseccomp makes of cubes: three for either half of an argument, and an answer.
  static func steps(_ cover: CubeCover.Cover) -> Int { cover.reduce(0) { $0 + 2 + 6 * $1.bits.count } }
}

extension Policy {
  /// The rules for a table, lowered: which rule comes first, `<` and the like, and several conditions on one argument are
  /// dealt with, and all that is left is whether bits have values. Calls without a rule are in none of the parts.
  ///
  /// - Throws: ``PolicyError`` with the rule that makes the cubes for its call too many.
  package func lowered(_ name: CallTable) throws(PolicyError) -> [LoweredCalls] {
    guard let table = tables[name] else { return [] }
    var parts: [LoweredCalls] = []
    var steps: [Int] = []
    for (number, indices) in table.rulesByNumber {
      guard let last = indices.last else { continue }
      let (cover, otherwise): (CubeCover.Cover, Action)
      do throws(PolicyError.Reason) {
        (cover, otherwise) = try CubeCover.smallest(of: table, indices[...])
      } catch {
        // The first rule with which they were too many.
        let culprit = indices.indices.first { (try? CubeCover.smallest(of: table, indices[...$0])) == nil }
        throw PolicyError(RuleIndex(name, culprit.map { indices[$0] } ?? last), error)
      }
      let added = LoweredCalls.steps(cover)
      let shared = parts.indices.first { place in
        parts[place].otherwise == otherwise && steps[place] + added <= LoweredCalls.comfortableSteps
      }
      let place = shared ?? parts.count
      if shared == nil {
        parts.append(LoweredCalls(otherwise: otherwise))
        steps.append(0)
      }
      steps[place] += added
      guard steps.reduce(0, +) <= LoweredCalls.mostStepsOfAll else {
        throw PolicyError(RuleIndex(name, last), .tooManyTests)
      }
      parts[place].numbers.append(number)
      parts[place].cubes += cover.map { cube in
        ArgumentCube(number: number, bits: cube.bits, answer: cube.answer, rule: RuleIndex(name, last))
      }
    }
    return parts
  }
}
