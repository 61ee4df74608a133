/// What a register holds, as a function of the call: for each of its 32 bits, the lowest first, when it is 1.
struct SymbolicWord: Hashable {
  typealias Function = DecisionDiagram.Function

  private(set) var bits: [Function]

  /// The same number for every call.
  init(_ constant: UInt32) {
    bits = (0..<32).map { constant >> $0 & 1 == 1 ? .always : .never }
  }

  /// A word of the call itself.
  init(_ word: DataWord, in diagram: inout DecisionDiagram) throws(ProofError.Reason) {
    bits = []
    for bit in 0..<32 { bits.append(try diagram.bit(bit, of: word)) }
  }

  private init(bits: [Function]) { self.bits = bits }

  /// The number, where it is the same for every call.
  var constant: UInt32? {
    var result: UInt32 = 0
    for (bit, function) in bits.enumerated() {
      switch function {
      case .always: result |= 1 << bit
      case .never: break
      default: return nil
      }
    }
    return result
  }

  // MARK: Arithmetic

  /// `self` and `operand`, combined; nil where that is not one of the sums that are understood: products, quotients and
  /// shifts need a constant on the right. Division by zero is the caller's business.
  func combined(
    _ arithmetic: Operation.Arithmetic, _ operand: SymbolicWord, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> SymbolicWord? {
    switch arithmetic {
    case .add: return try sum(operand, carry: .never, in: &diagram)
    case .subtract: return try sum(operand.inverted(in: &diagram), carry: .always, in: &diagram)
    case .and: return try zipped(operand) { a, b throws(ProofError.Reason) in try diagram.choose(a, b, .never) }
    case .or: return try zipped(operand) { a, b throws(ProofError.Reason) in try diagram.choose(a, .always, b) }
    case .exclusiveOr: return try zipped(operand) { a, b throws(ProofError.Reason) in try diagram.differ(a, b) }
    case .shiftLeft: return operand.constant.map { shifted(left: Int($0 & 31)) }
    case .shiftRight: return operand.constant.map { shifted(right: Int($0 & 31)) }
    case .multiply:
      return try operand.constant.map { factor throws(ProofError.Reason) in
        try product(factor, in: &diagram)
      }
    case .divide:
      guard let divisor = operand.constant, divisor > 0 else { return nil }
      return try quotient(divisor, in: &diagram)
    }
  }

  /// The two's complement.
  func negated(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> SymbolicWord {
    try SymbolicWord(0).sum(inverted(in: &diagram), carry: .always, in: &diagram)
  }

  private func inverted(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> SymbolicWord {
    var result = self
    for bit in bits.indices { result.bits[bit] = try diagram.choose(bits[bit], .never, .always) }
    return result
  }

  private func zipped(
    _ other: SymbolicWord, _ body: (Function, Function) throws(ProofError.Reason) -> Function
  ) throws(ProofError.Reason) -> SymbolicWord {
    var result = self
    for bit in bits.indices { result.bits[bit] = try body(bits[bit], other.bits[bit]) }
    return result
  }

  private func sum(
    _ other: SymbolicWord, carry: Function, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> SymbolicWord {
    var carry = carry
    var result = self
    for bit in bits.indices {
      let differ = try diagram.differ(bits[bit], other.bits[bit])
      result.bits[bit] = try diagram.differ(differ, carry)
      carry = try diagram.choose(differ, carry, bits[bit])
    }
    return result
  }

  private func shifted(left count: Int) -> SymbolicWord {
    SymbolicWord(bits: Array(repeating: .never, count: count) + bits.dropLast(count))
  }

  private func shifted(right count: Int) -> SymbolicWord {
    SymbolicWord(bits: bits.dropFirst(count) + Array(repeating: .never, count: count))
  }

  private func product(
    _ factor: UInt32, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> SymbolicWord {
    var result = SymbolicWord(0)
    for bit in 0..<32 where factor >> bit & 1 == 1 {
      result = try result.sum(shifted(left: bit), carry: .never, in: &diagram)
    }
    return result
  }

  /// By long division, from the highest bit on.
  private func quotient(
    _ divisor: UInt32, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> SymbolicWord {
    if divisor.nonzeroBitCount == 1 { return shifted(right: divisor.trailingZeroBitCount) }
    var result = SymbolicWord(0)
    var rest = SymbolicWord(0)
    for bit in bits.indices.reversed() {
      // What is shifted out belongs to the rest: with it the rest is larger than any divisor.
      let overflow = rest.bits[31]
      rest = rest.shifted(left: 1)
      rest.bits[0] = bits[bit]
      let fits = try diagram.choose(
        overflow, .always, rest.holds(.greaterOrEqual, SymbolicWord(divisor), in: &diagram))
      let less = try rest.sum(SymbolicWord(0 &- divisor), carry: .never, in: &diagram)
      for index in rest.bits.indices {
        rest.bits[index] = try diagram.choose(fits, less.bits[index], rest.bits[index])
      }
      result.bits[bit] = fits
    }
    return result
  }

  // MARK: Comparison

  /// When a comparison holds.
  func holds(
    _ comparison: Operation.Comparison, _ other: SymbolicWord, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> Function {
    // From the lowest bit up, so that a word compared with a constant costs a node a bit.
    var result: Function
    switch comparison {
    case .equal:
      result = .always
      for (a, b) in zip(bits, other.bits) { result = try diagram.choose(diagram.differ(a, b), .never, result) }
    case .greaterOrEqual, .greater:
      result = comparison == .greater ? .never : .always
      for (a, b) in zip(bits, other.bits) { result = try diagram.choose(diagram.differ(a, b), a, result) }
    case .anyBit:
      result = .never
      for (a, b) in zip(bits, other.bits) {
        result = try diagram.choose(diagram.choose(a, b, .never), .always, result)
      }
    }
    return result
  }
}

extension DecisionDiagram {
  /// Whether just one of two holds.
  fileprivate mutating func differ(_ a: Function, _ b: Function) throws(ProofError.Reason) -> Function {
    try choose(a, choose(b, .never, .always), b)
  }
}
