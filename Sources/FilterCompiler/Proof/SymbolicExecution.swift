/// All runs of a program at once: what it answers, as a function of the call.
///
/// The first pass goes forward and finds with which contents of the registers, as functions of the call, each instruction
/// can be met; since jumps only go forward, it is met after all that lead to it. The second goes backward and gives each
/// of these places its answer, made of the answers of the places it leads to. Nothing is assumed about which ways are
/// possible: where two comparisons exclude each other, their functions do.
struct SymbolicExecution {
  typealias Function = DecisionDiagram.Function

  /// An instruction, met with certain contents. What does not matter to what follows counts as 0.
  private struct Place: Hashable {
    var instruction: Int
    /// The registers and memory cells are numbers of ``SymbolicExecution/words``.
    var accumulator: Int32 = 0
    var index: Int32 = 0
    /// All sixteen memory cells, or none where none of them matters.
    var memory: [Int32] = []
  }

  /// Where a place leads to.
  private enum Outcome {
    case answer(Function)
    case next(Int)
    case choice(Function, Int, Int)
  }

  /// Many times more than any program needs that does not build all combinations of something.
  private static let mostPlaces = 1 << 16
  /// The most bits of a computed answer that can depend on the call.
  private static let mostAnswerBits = 12

  private let operations: [Operation]
  private let live: [LiveRegisters]
  private var words = [SymbolicWord(0)]
  private var wordIDs: [SymbolicWord: Int32] = [SymbolicWord(0): 0]
  private var places: [Place] = []
  private var placeIDs: [Place: Int] = [:]
  /// For each place, where it leads to.
  private var outcomes: [Outcome] = []

  /// What `program` answers.
  ///
  /// - Throws: ``ProofError``, without a filter, at the instruction that cannot be reasoned about.
  static func answer(of program: Program, in diagram: inout DecisionDiagram) throws(ProofError) -> Function {
    var execution = SymbolicExecution(program)
    try execution.forward(in: &diagram)
    return try execution.backward(in: &diagram)
  }

  private init(_ program: Program) {
    operations = program.operations
    live = LiveRegisters.before(operations)
  }

  // MARK: Forward

  private mutating func forward(in diagram: inout DecisionDiagram) throws(ProofError) {
    // For each instruction the places it is met in; they are numbered in the order in which they are found.
    var met = [[Int]](repeating: [], count: operations.count)
    func found(_ known: Int, _ execution: SymbolicExecution) {
      for id in known..<execution.places.count { met[execution.places[id].instruction].append(id) }
    }
    _ = id(of: Place(instruction: 0))
    found(0, self)
    var outcomes: [Int: Outcome] = [:]
    for instruction in operations.indices {
      for id in met[instruction] {
        let known = places.count
        do throws(ProofError.Reason) {
          outcomes[id] = try outcome(of: places[id], in: &diagram)
          guard places.count <= Self.mostPlaces else { throw .manyStates }
        } catch {
          throw ProofError(filter: nil, instruction: instruction, reason: error)
        }
        found(known, self)
      }
    }
    self.outcomes = places.indices.compactMap { outcomes[$0] }
  }

  private mutating func outcome(
    of place: Place, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> Outcome {
    var next = place
    switch operations[place.instruction] {
    case .loadData(let word): next.accumulator = id(of: try SymbolicWord(word, in: &diagram))
    case .load(.accumulator, let source): next.accumulator = id(of: source, place)
    case .load(.index, let source): next.index = id(of: source, place)
    case .store(let register, let cell):
      if next.memory.isEmpty { next.memory = Array(repeating: 0, count: 16) }
      next.memory[cell] = register == .accumulator ? place.accumulator : place.index
    case .compute(let arithmetic, let operand):
      return try computation(arithmetic, operand, place, in: &diagram)
    case .negate: next.accumulator = id(of: try word(place.accumulator).negated(in: &diagram))
    case .copyToIndex: next.index = place.accumulator
    case .copyToAccumulator: next.accumulator = place.index
    case .jump(let distance): return .next(go(place, over: Int(distance)))
    case .branch(let comparison, let operand, let jt, let jf):
      let test = try word(place.accumulator).holds(comparison, word(operand, place), in: &diagram)
      switch diagram.answer(of: test) {
      case .truth(true): return .next(go(place, over: Int(jt)))
      case .truth(false): return .next(go(place, over: Int(jf)))
      default: return .choice(test, go(place, over: Int(jt)), go(place, over: Int(jf)))
      }
    case .answer(let action): return .answer(try diagram.answer(action))
    case .answerAccumulator: return .answer(try computedAnswer(word(place.accumulator), in: &diagram))
    }
    return .next(go(next, over: 0))
  }

  private mutating func computation(
    _ arithmetic: Operation.Arithmetic, _ operand: Operation.Operand, _ place: Place,
    in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> Outcome {
    let (left, right) = (word(place.accumulator), word(operand, place))
    // The kernel ends a program that divides by zero, with the answer 0.
    if arithmetic == .divide, right.constant == 0 { return .answer(try diagram.answer(Action(rawValue: 0))) }
    guard let result = try left.combined(arithmetic, right, in: &diagram) else {
      throw .arithmetic(.compute(arithmetic, operand))
    }
    var next = place
    next.accumulator = id(of: result)
    return .next(go(next, over: 0))
  }

  /// The answer that `word` is: for each value it can have, that value.
  private func computedAnswer(
    _ word: SymbolicWord, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> Function {
    let open = word.bits.indices.filter { word.bits[$0] != .always && word.bits[$0] != .never }
    guard open.count <= Self.mostAnswerBits else { throw .manyAnswers }
    let fixed = word.bits.indices.reduce(UInt32(0)) { $0 | (word.bits[$1] == .always ? 1 << UInt32($1) : 0) }
    // Bit by bit from the values up: after the first round functions of one bit, after the second of two, and so on.
    var answers: [Function] = []
    for choice in 0..<UInt32(1) << UInt32(open.count) {
      let value = open.enumerated().reduce(fixed) { $0 | (choice >> UInt32($1.offset) & 1) << UInt32($1.element) }
      answers.append(try diagram.answer(Action(rawValue: value)))
    }
    for bit in open {
      var half: [Function] = []
      for pair in stride(from: 0, to: answers.count, by: 2) {
        half.append(try diagram.choose(word.bits[bit], answers[pair + 1], answers[pair]))
      }
      answers = half
    }
    return answers[0]
  }

  // MARK: Backward

  private func backward(in diagram: inout DecisionDiagram) throws(ProofError) -> Function {
    var answers = [Function](repeating: .never, count: places.count)
    // Every place leads to places of later instructions only.
    for id in places.indices.sorted(by: { places[$0].instruction > places[$1].instruction }) {
      do throws(ProofError.Reason) {
        switch outcomes[id] {
        case .answer(let answer): answers[id] = answer
        case .next(let next): answers[id] = answers[next]
        case .choice(let test, let first, let second):
          answers[id] = try diagram.choose(test, answers[first], answers[second])
        }
      } catch {
        throw ProofError(filter: nil, instruction: places[id].instruction, reason: error)
      }
    }
    return answers[0]
  }

  // MARK: Places and contents

  /// The place that is reached from `place`, whose contents are those after its instruction.
  private mutating func go(_ place: Place, over distance: Int) -> Int {
    var place = place
    place.instruction += 1 + distance
    let live = live[place.instruction]
    if !live.accumulator { place.accumulator = 0 }
    if !live.index { place.index = 0 }
    if live.anyCell {
      for cell in place.memory.indices where !live.cell(cell) { place.memory[cell] = 0 }
    } else {
      place.memory = []
    }
    return id(of: place)
  }

  private mutating func id(of place: Place) -> Int {
    if let known = placeIDs[place] { return known }
    placeIDs[place] = places.count
    places.append(place)
    return places.count - 1
  }

  private mutating func id(of word: SymbolicWord) -> Int32 {
    if let known = wordIDs[word] { return known }
    let id = Int32(words.count)
    wordIDs[word] = id
    words.append(word)
    return id
  }

  private mutating func id(of source: Operation.Source, _ place: Place) -> Int32 {
    switch source {
    case .constant(let constant): id(of: SymbolicWord(constant))
    case .length: id(of: SymbolicWord(64))
    case .memory(let cell): place.memory[cell]
    }
  }

  private func word(_ id: Int32) -> SymbolicWord { words[Int(id)] }

  private func word(_ operand: Operation.Operand, _ place: Place) -> SymbolicWord {
    switch operand {
    case .constant(let constant): SymbolicWord(constant)
    case .index: word(place.index)
    }
  }
}
