/// Covers what some rules say of their call with cubes.
///
/// The arguments are read bit by bit, the highest first, as in a search tree whose equal parts are one (a decision
/// diagram). Each way through it is a cube, and no two of these overlap: `arg0 < 2^n` is one, a range of n bits at most
/// 2n. Conditions on several arguments multiply; where that gets out of hand, cubes may overlap those with the same
/// answer (an irredundant sum of products, after Minato and Morreale), so that alternatives add up instead.
struct CubeCover {
  typealias Cover = [(bits: [ArgumentCube.Bits], answer: Action)]
  private typealias Function = DecisionDiagram.Function

  /// The bits of all arguments.
  private struct Cube {
    var masks = SIMD8<UInt64>(repeating: 0)
    var values = SIMD8<UInt64>(repeating: 0)

    func with(_ argument: Int, _ bit: UInt64, set: Bool) -> Cube {
      var result = self
      result.masks[argument] |= bit
      if set { result.values[argument] |= bit }
      return result
    }

    var bits: [ArgumentCube.Bits] {
      (0..<6).filter { masks[$0] != 0 }
        .map { ArgumentCube.Bits(argument: $0, mask: masks[$0], value: values[$0]) }
    }
  }

  /// Cubes, and the function that they cover.
  private struct Sum {
    var cubes: [Cube]
    let function: Function
  }

  private struct Bounds: Hashable {
    let lower: Function
    let upper: Function
  }

  private enum TooMany: Error { case cubes }

  /// Up to here cubes that exclude each other are better than fewer that do not.
  private static let few = 140

  private var diagram = DecisionDiagram(order: WordOrder([]))
  private var counts: [Function: Int] = [:]
  private var sums: [Bounds: Sum] = [:]

  /// The cover of what the rules at these places say, without the answer of which there would be most; that one.
  static func smallest(
    of table: Policy.Table, _ indices: ArraySlice<Int>
  ) throws(PolicyError.Reason) -> (cover: Cover, otherwise: Action) {
    // A call that is decided by its number alone needs no thought.
    if indices.count == 1, let index = indices.first, table.rules[index].conditions.isEmpty {
      let answer = table.rules[index].answer
      return (answer == table.otherwise ? [] : [([], answer)], table.otherwise)
    }
    var cover = CubeCover()
    do throws(ProofError.Reason) {
      let function = try table.answer(of: indices, in: &cover.diagram)
      // The table's own answer first, so that it is taken where another is no better.
      let answers = ([table.otherwise] + indices.map { table.rules[$0].answer })
        .reduce(into: [Action]()) { if !$0.contains($1) { $0.append($1) } }
      return try cover.smallest(of: function, answers)
    } catch .manyAnswers {
      throw .tooManyTests
    } catch {
      throw .tooEntangled
    }
  }

  /// Throws ``ProofError/Reason/manyAnswers`` where there are too many cubes whichever answer is left out.
  private mutating func smallest(
    of function: Function, _ answers: [Action]
  ) throws(ProofError.Reason) -> (cover: Cover, otherwise: Action) {
    var best: (count: Int, answer: Action)?
    for answer in answers {
      counts = [:]
      let count = count(function, but: answer)
      if count < best?.count ?? .max { best = (count, answer) }
    }
    if let best, best.count <= Self.few {
      var cover: Cover = []
      collect(function, Cube(), but: best.answer, into: &cover)
      return (cover, best.answer)
    }
    var covers: [(cover: Cover, otherwise: Action)] = []
    for answer in answers {
      if let cover = try sum(of: function, answers.filter { $0 != answer }) { covers.append((cover, answer)) }
    }
    guard let smallest = covers.min(by: { $0.cover.count < $1.cover.count }),
      LoweredCalls.steps(smallest.cover) <= LoweredCalls.mostSteps
    else { throw .manyAnswers }
    return smallest
  }

  // MARK: Cubes that exclude each other

  /// How many ways lead to another answer.
  private mutating func count(_ function: Function, but answer: Action) -> Int {
    if let known = counts[function] { return known }
    let result: Int
    if let found = diagram.answer(of: function) {
      result = found == .action(answer) ? 0 : 1
    } else {
      let level = diagram.level(function)
      let low = count(diagram.half(function, level, false), but: answer)
      // Far above any limit, and far from overflowing.
      result = min(low + count(diagram.half(function, level, true), but: answer), 1 << 60)
    }
    counts[function] = result
    return result
  }

  private func collect(_ function: Function, _ cube: Cube, but answer: Action, into cover: inout Cover) {
    if let found = diagram.answer(of: function) {
      if case .action(let action) = found, action != answer { cover.append((cube.bits, action)) }
      return
    }
    let level = diagram.level(function)
    let (argument, bit) = place(level)
    for set in [false, true] {
      collect(diagram.half(function, level, set), cube.with(argument, bit, set: set), but: answer, into: &cover)
    }
  }

  // MARK: Sums of products

  /// A cover of all that gets one of these answers; nil where it is too large.
  private mutating func sum(of function: Function, _ answers: [Action]) throws(ProofError.Reason) -> Cover? {
    var cover: Cover = []
    for answer in answers {
      let truth = try isAnswered(function, answer)
      do {
        cover += try sum(Bounds(lower: truth, upper: truth)).cubes.map { ($0.bits, answer) }
      } catch let error as ProofError.Reason {
        throw error
      } catch {
        return nil
      }
      if cover.count > LoweredCalls.mostCubes { return nil }
    }
    return cover
  }

  /// Whether a call gets the answer.
  private mutating func isAnswered(
    _ function: Function, _ answer: Action
  ) throws(ProofError.Reason) -> Function {
    var known: [Function: Function] = [:]
    func result(_ function: Function, _ diagram: inout DecisionDiagram) throws(ProofError.Reason) -> Function {
      if let found = diagram.answer(of: function) { return found == .action(answer) ? .always : .never }
      if let known = known[function] { return known }
      let level = diagram.level(function)
      let (word, bit) = diagram.order.bit(at: level)
      let low = try result(diagram.half(function, level, false), &diagram)
      let high = try result(diagram.half(function, level, true), &diagram)
      let made = try diagram.choose(diagram.bit(bit, of: word), high, low)
      known[function] = made
      return made
    }
    return try result(function, &diagram)
  }

  /// Cubes that cover all of `lower` and nothing outside of `upper`.
  private mutating func sum(_ bounds: Bounds) throws -> Sum {
    if bounds.lower == .never { return Sum(cubes: [], function: .never) }
    if bounds.upper == .always { return Sum(cubes: [Cube()], function: .always) }
    if let known = sums[bounds] { return known }
    let level = min(diagram.level(bounds.lower), diagram.level(bounds.upper))
    let (lower0, lower1) = (diagram.half(bounds.lower, level, false), diagram.half(bounds.lower, level, true))
    let (upper0, upper1) = (diagram.half(bounds.upper, level, false), diagram.half(bounds.upper, level, true))
    // What has to be covered with the bit given, because it must not be covered where the bit is the other way.
    let unset = try sum(Bounds(lower: without(lower0, upper1), upper: upper0))
    let set = try sum(Bounds(lower: without(lower1, upper0), upper: upper1))
    // What is left can be covered whatever the bit is.
    let rest = try diagram.choose(
      without(lower0, unset.function), .always, without(lower1, set.function))
    let either = try sum(Bounds(lower: rest, upper: diagram.choose(upper0, upper1, .never)))
    let (argument, bit) = place(level)
    let cubes =
      unset.cubes.map { $0.with(argument, bit, set: false) } + set.cubes.map { $0.with(argument, bit, set: true) }
      + either.cubes
    // All cubes of a part are cubes of the whole.
    guard cubes.count <= LoweredCalls.mostCubes else { throw TooMany.cubes }
    let (word, index) = diagram.order.bit(at: level)
    let function = try diagram.choose(
      diagram.bit(index, of: word), diagram.choose(set.function, .always, either.function),
      diagram.choose(unset.function, .always, either.function))
    let result = Sum(cubes: cubes, function: function)
    sums[bounds] = result
    return result
  }

  private mutating func without(_ function: Function, _ other: Function) throws(ProofError.Reason) -> Function {
    try diagram.choose(other, .never, function)
  }

  /// The argument and the bit of it that is asked for at a level: rules ask for nothing else.
  private func place(_ level: UInt32) -> (argument: Int, bit: UInt64) {
    let (word, bit) = diagram.order.bit(at: level)
    return (max(word.index - 4, 0) / 2, 1 << UInt64(bit + (word.isHighHalf ? 32 : 0)))
  }
}
