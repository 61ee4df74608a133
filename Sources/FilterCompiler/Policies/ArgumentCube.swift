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

extension Policy {
  /// As many as fit into a filter, at six instructions each.
  package static let mostTests = 680

  /// The rules for a table, lowered: no two of the result match the same call, and what none of them matches gets
  /// ``Table/otherwise``. Which rule comes first, `<` and the like, and several conditions on one argument are dealt with.
  ///
  /// The arguments are read bit by bit, the highest first, as in a search tree whose equal parts are one; each way through
  /// it is a cube. So `arg0 < 2^n` is one, a range of n bits at most 2n, and a `!=` 64.
  ///
  /// - Throws: ``PolicyError`` with the rule that makes them too many.
  package func cubes(of name: CallTable) throws(PolicyError) -> [ArgumentCube] {
    guard let table = tables[name] else { return [] }
    var cubes: [ArgumentCube] = []
    for (number, indices) in table.rulesByNumber {
      guard let last = indices.last else { continue }
      var lowering = Lowering(otherwise: table.otherwise)
      do throws(PolicyError.Reason) {
        cubes += try lowering.ways(of: table, indices, atMost: Self.mostTests - cubes.count).map { way in
          ArgumentCube(number: number, bits: way.bits, answer: way.answer, rule: RuleIndex(name, last))
        }
      } catch {
        // The first rule with which they were too many.
        let culprit = indices.indices.first { place in
          (try? lowering.ways(of: table, indices[...place], atMost: Self.mostTests - cubes.count)) == nil
        }
        throw PolicyError(RuleIndex(name, culprit.map { indices[$0] } ?? last), error)
      }
    }
    return cubes
  }
}

/// Takes the function of some rules apart.
private struct Lowering {
  typealias Function = DecisionDiagram.Function
  typealias Way = (bits: [ArgumentCube.Bits], answer: Action)

  private let otherwise: Action
  private var diagram = DecisionDiagram(order: WordOrder([]))
  /// How many ways lead from a function to an answer that is to be given.
  private var counts: [Function: Int] = [:]
  private var masks = [UInt64](repeating: 0, count: 6)
  private var values = [UInt64](repeating: 0, count: 6)

  init(otherwise: Action) { self.otherwise = otherwise }

  mutating func ways(
    of table: Policy.Table, _ indices: some BidirectionalCollection<Int>, atMost limit: Int
  ) throws(PolicyError.Reason) -> [Way] {
    let function: Function
    do { function = try table.answer(of: indices, in: &diagram) } catch { throw .tooEntangled }
    let count = count(function)
    guard count <= limit else { throw .tooManyTests(count, limit: Policy.mostTests) }
    var ways: [Way] = []
    ways.reserveCapacity(count)
    collect(function, into: &ways)
    return ways
  }

  private mutating func count(_ function: Function) -> Int {
    if let known = counts[function] { return known }
    var result: Int
    if let answer = diagram.answer(of: function) {
      result = answer == .action(otherwise) ? 0 : 1
    } else {
      let level = diagram.level(function)
      let (low, high) = (diagram.half(function, level, false), diagram.half(function, level, true))
      result = count(low)
      // Far above any limit, and far from overflowing.
      result = min(result + count(high), 1 << 60)
    }
    counts[function] = result
    return result
  }

  private mutating func collect(_ function: Function, into ways: inout [Way]) {
    guard count(function) > 0 else { return }
    if case .action(let action)? = diagram.answer(of: function) {
      let bits = masks.indices.filter { masks[$0] != 0 }
        .map { ArgumentCube.Bits(argument: $0, mask: masks[$0], value: values[$0]) }
      ways.append((bits, action))
      return
    }
    let level = diagram.level(function)
    let (word, place) = diagram.order.bit(at: level)
    guard let argument = word.argument else { return }
    let bit = UInt64(1) << UInt64(place + (word.isHighHalf ? 32 : 0))
    masks[argument] |= bit
    collect(diagram.half(function, level, false), into: &ways)
    values[argument] |= bit
    collect(diagram.half(function, level, true), into: &ways)
    masks[argument] &= ~bit
    values[argument] &= ~bit
  }
}

extension DataWord {
  /// The argument that the word is half of; nil for any other word.
  fileprivate var argument: Int? { index < 4 ? nil : (index - 4) / 2 }
}
