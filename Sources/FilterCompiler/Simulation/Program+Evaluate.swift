extension Program {
  /// Runs the program on one call as the kernel would.
  ///
  /// - Returns: The answer, and the indices of the instructions that were executed, the first one 0.
  public func evaluate(_ data: SeccompData) -> (action: Action, path: [Int]) {
    var machine = Machine(data)
    var path: [Int] = []
    var next = 0
    while true {
      path.append(next)
      guard let operation = try? Operation(instructions[next]) else {
        preconditionFailure("a program holds checked instructions only")
      }
      switch machine.execute(operation) {
      case .skip(let count): next += 1 + count
      case .end(let action): return (action, path)
      }
    }
  }
}

/// The state of a running program.
private struct Machine {
  enum Step {
    case skip(Int)
    case end(Action)
  }

  private let data: SeccompData
  private var accumulator: UInt32 = 0
  private var index: UInt32 = 0
  private var memory = [UInt32](repeating: 0, count: 16)

  init(_ data: SeccompData) { self.data = data }

  mutating func execute(_ operation: Operation) -> Step {
    switch operation {
    case .loadData(let word): accumulator = data[word]
    case .load(.accumulator, let source): accumulator = value(source)
    case .load(.index, let source): index = value(source)
    case .store(.accumulator, let cell): memory[cell] = accumulator
    case .store(.index, let cell): memory[cell] = index
    case .compute(let arithmetic, let operand):
      guard let result = arithmetic.apply(accumulator, value(operand)) else {
        return .end(Action(rawValue: 0))
      }
      accumulator = result
    case .negate: accumulator = 0 &- accumulator
    case .copyToIndex: index = accumulator
    case .copyToAccumulator: accumulator = index
    case .jump(let distance): return .skip(Int(distance))
    case .branch(let comparison, let operand, let jt, let jf):
      return .skip(Int(comparison.holds(accumulator, value(operand)) ? jt : jf))
    case .answer(let action): return .end(action)
    case .answerAccumulator: return .end(Action(rawValue: accumulator))
    }
    return .skip(0)
  }

  private func value(_ source: Operation.Source) -> UInt32 {
    switch source {
    case .constant(let k): k
    case .length: 64
    case .memory(let cell): memory[cell]
    }
  }

  private func value(_ operand: Operation.Operand) -> UInt32 {
    switch operand {
    case .constant(let k): k
    case .index: index
    }
  }
}

extension Operation.Arithmetic {
  /// The result modulo 2^32; nil for a division by zero, which ends a program.
  func apply(_ a: UInt32, _ b: UInt32) -> UInt32? {
    switch self {
    case .add: a &+ b
    case .subtract: a &- b
    case .multiply: a &* b
    case .divide: b == 0 ? nil : a / b
    case .or: a | b
    case .and: a & b
    case .shiftLeft: a &<< b
    case .shiftRight: a &>> b
    case .exclusiveOr: a ^ b
    }
  }
}

extension Operation.Comparison {
  /// Whether the comparison holds for `a` on its left and `b` on its right.
  func holds(_ a: UInt32, _ b: UInt32) -> Bool {
    switch self {
    case .equal: a == b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    case .anyBit: a & b != 0
    }
  }
}
