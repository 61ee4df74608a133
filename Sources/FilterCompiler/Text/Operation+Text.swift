extension Operation {
  /// What the operation does, where that needs no knowledge of its surroundings.
  var text: String {
    switch self {
    case .loadData(let word): "A = \(word)"
    case .load(let register, let source): "\(register) = \(source)"
    case .store(let register, let cell): "M[\(cell)] = \(register)"
    case .compute(let arithmetic, let operand): "A \(arithmetic.symbol)= \(operand)"
    case .negate: "A = -A"
    case .copyToIndex: "X = A"
    case .copyToAccumulator: "A = X"
    case .jump(let distance): "skip \(distance)"
    case .branch(let comparison, let operand, let jt, let jf):
      "compare \(comparison) \(operand): skip \(jt), else \(jf)"
    case .answer(let action): "return \(action)"
    case .answerAccumulator: "return A"
    }
  }
}

extension Operation.Register: CustomStringConvertible {
  /// `A` or `X`.
  public var description: String { self == .accumulator ? "A" : "X" }
}

extension Operation.Source: CustomStringConvertible {
  /// As C would have it.
  public var description: String {
    switch self {
    case .constant(let constant): hexadecimal(constant)
    case .length: "sizeof(struct seccomp_data)"
    case .memory(let cell): "M[\(cell)]"
    }
  }
}

extension Operation.Operand: CustomStringConvertible {
  /// The number in hexadecimal, or `X`.
  public var description: String {
    switch self {
    case .constant(let constant): hexadecimal(constant)
    case .index: "X"
    }
  }
}

extension Operation.Arithmetic {
  /// The sign of C.
  fileprivate var symbol: String {
    switch self {
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .divide: "/"
    case .or: "|"
    case .and: "&"
    case .shiftLeft: "<<"
    case .shiftRight: ">>"
    case .exclusiveOr: "^"
    }
  }
}
