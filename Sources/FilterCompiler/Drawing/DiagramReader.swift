/// Cuts a program into the decisions of a ``Diagram``.
struct DiagramReader {
  let flow: ProgramFlow
  private let disassembler: Disassembler
  /// Whether the program does nothing but load words, compare them with constants and answer, so that every condition
  /// says by itself what is compared, and loads need not be shown.
  private let isPlain: Bool
  /// The instructions that something other than the one before them leads to.
  private let isJoint: [Bool]
  /// For each instruction that starts a decision, which one.
  private var indices: [Int: Int] = [:]
  private(set) var decisions: [Diagram.Decision] = []

  init(_ program: Program, _ disassembler: Disassembler) {
    let flow = ProgramFlow(program)
    self.flow = flow
    self.disassembler = disassembler
    isPlain = flow.operations.indices.allSatisfy { index in
      guard let known = flow.before[index] else { return true }
      switch flow.operations[index] {
      case .loadData, .jump, .answer: return true
      case .branch(_, .constant, _, _): return known.word != nil
      default: return false
      }
    }
    var joints = Array(repeating: false, count: flow.operations.count)
    for index in flow.operations.indices {
      switch flow.operations[index] {
      case .branch, .jump: for arm in flow.arms(from: index) { joints[arm.target] = true }
      default: break
      }
    }
    isJoint = joints
  }

  /// Reads all decisions, from the last to the first: jumps only go forward.
  mutating func read() {
    let reached = flow.operations.indices.filter { flow.before[$0] != nil && ($0 == 0 || isJoint[$0]) }
    for index in Set(reached.map(start)).sorted(by: >) {
      guard let decision = decision(at: index) else { continue }
      indices[index] = decisions.count
      decisions.append(decision)
    }
  }

  /// Where a way leads that arrives at an instruction with `known`.
  func target(_ index: Int, _ known: KnownValues) -> Diagram.Target {
    let start = start(of: index)
    if let decision = indices[start] { return .decision(decision) }
    if case .answer(let action) = flow.operations[start] {
      return .answer(Diagram.Answer(action: action, code: disassembler.code(where: known)))
    }
    return .answer(Diagram.Answer(action: nil, code: nil))
  }

  /// The instruction from which there is something to see, at or after `index`.
  private func start(of index: Int) -> Int {
    var index = index
    while true {
      switch flow.operations[index] {
      case .loadData where isPlain: index += 1
      case .jump(let distance): index += 1 + Int(distance)
      case .branch:
        // A comparison that can turn out only one way decides nothing.
        let arms = flow.arms(from: index)
        guard isPlain, arms.count == 1 else { return index }
        index = arms[0].target
      default: return index
      }
    }
  }

  /// Which call a bound of numbers is, in parentheses; nothing where that is not what is compared.
  private func name(
    _ comparison: Operation.Comparison, _ operand: Operation.Operand, _ known: KnownValues
  ) -> String {
    guard known.word == .number, comparison == .greater || comparison == .greaterOrEqual,
      case .constant(let constant) = operand
    else { return "" }
    let architecture =
      known.value(of: .architecture).map(AuditArchitecture.init(rawValue:)) ?? disassembler.architecture
    // The first number of x32 is asked for as the bit that marks all of them.
    if architecture == .x86_64, constant == CallTable.x32Numbers.lowerBound { return " (x32)" }
    guard let name = disassembler.name(constant, architecture) else { return "" }
    return " (\(name))"
  }

  /// What stands between `index` and the next fork or joint; nil where that is an answer alone.
  private func decision(at index: Int) -> Diagram.Decision? {
    var lines: [String] = []
    var index = index
    while true {
      guard let known = flow.before[index] else { return nil }
      switch flow.operations[index] {
      case .branch(let comparison, let operand, _, _):
        lines.append(
          disassembler.condition(comparison, operand, known).text(negated: false) + name(comparison, operand, known)
            + "?")
        return Diagram.Decision(lines: lines, ways: ways(index, comparison))
      case .answer:
        return lines.isEmpty ? nil : .init(lines: lines, ways: [.init(outcome: .always, target: target(index, known))])
      case .answerAccumulator:
        return lines.isEmpty ? nil : .init(lines: lines, ways: [.init(outcome: .always, target: target(index, known))])
      case .jump: break
      default: lines.append(flow.operations[index].text)
      }
      guard let next = flow.arms(from: index).first else { return nil }
      if isJoint[next.target], !lines.isEmpty {
        return .init(lines: lines, ways: [.init(outcome: .always, target: target(next.target, next.known))])
      }
      index = next.target
    }
  }

  /// The ways on from a comparison: lower values above higher ones, else what holds above what does not.
  private func ways(_ index: Int, _ comparison: Operation.Comparison) -> [Diagram.Way] {
    let arms = flow.arms(from: index)
    guard arms.count == 2 else { return arms.map { .init(outcome: .always, target: target($0.target, $0.known)) } }
    let outcomes: [Diagram.Outcome] = [.yes, .no]
    let ways = zip(outcomes, arms).map { Diagram.Way(outcome: $0, target: target($1.target, $1.known)) }
    switch comparison {
    case .greater, .greaterOrEqual: return ways.reversed()
    case .equal, .anyBit: return ways
    }
  }
}
