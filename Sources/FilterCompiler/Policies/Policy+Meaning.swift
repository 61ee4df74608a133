extension ArgumentCondition {
  /// When the condition holds, as a function of the call.
  func holds(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    switch test {
    case .equal(let constant): try masked(.max, constant, in: &diagram)
    case .notEqual(let constant): try diagram.choose(masked(.max, constant, in: &diagram), .never, .always)
    case .less(let constant): try diagram.choose(atLeast(constant, in: &diagram), .never, .always)
    case .lessOrEqual(let constant): try notAbove(constant, in: &diagram)
    case .greater(let constant): try diagram.choose(notAbove(constant, in: &diagram), .never, .always)
    case .greaterOrEqual(let constant): try atLeast(constant, in: &diagram)
    case .masked(let mask, let value): try masked(mask, value, in: &diagram)
    case .within(let lowest, let highest):
      try diagram.choose(atLeast(lowest, in: &diagram), notAbove(highest, in: &diagram), .never)
    }
  }

  private func atLeast(
    _ bound: UInt64, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    try diagram.value(.argumentHigh(argument), .argumentLow(argument), atLeast: bound)
  }

  private func notAbove(
    _ bound: UInt64, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    guard bound < .max else { return .always }
    return try diagram.choose(atLeast(bound + 1, in: &diagram), .never, .always)
  }

  private func masked(
    _ mask: UInt64, _ value: UInt64, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    var result = DecisionDiagram.Function.always
    for bit in 0..<64 where mask >> UInt64(bit) & 1 == 1 {
      let word = bit < 32 ? DataWord.argumentLow(argument) : .argumentHigh(argument)
      let isSet = try diagram.bit(bit % 32, of: word)
      let wanted = value >> UInt64(bit) & 1 == 1
      result = try diagram.choose(isSet, wanted ? result : .never, wanted ? .never : result)
    }
    return result
  }
}

extension Policy.Rule {
  /// When all conditions hold, as a function of the call.
  func matches(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    try CallPattern(number, where: conditions).matches(in: &diagram)
  }
}

extension Policy.Table {
  /// What becomes of the calls that the rules at these places are for, as a function of the arguments.
  func answer(
    of indices: some BidirectionalCollection<Int>, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    var result = try diagram.answer(otherwise)
    // The first rule decides, so it is laid over all others.
    for index in indices.reversed() {
      result = try diagram.choose(rules[index].matches(in: &diagram), diagram.answer(rules[index].answer), result)
    }
    return result
  }

  /// What becomes of a call of the table, as a function of its number and arguments.
  func answer(
    in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    let number = try SymbolicWord(.number, in: &diagram)
    var result = try diagram.answer(otherwise)
    for (constant, indices) in rulesByNumber {
      let isMeant = try number.holds(.equal, SymbolicWord(constant), in: &diagram)
      result = try diagram.choose(isMeant, answer(of: indices, in: &diagram), result)
    }
    return result
  }
}

extension Policy: CallSpecification {
  /// What the rules say of every call.
  package func answer(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    var result = try diagram.answer(otherTables)
    for name in CallTable.allCases {
      let answer: DecisionDiagram.Function
      if let table = tables[name] {
        answer = try table.answer(in: &diagram)
      } else if name == .x32 {
        // What the rules for x86-64 say must not be taken for it.
        answer = try diagram.answer(otherTables)
      } else {
        continue
      }
      result = try diagram.choose(name.holds(in: &diagram), answer, result)
    }
    return result
  }
}

extension CallTable {
  /// Whether a call is of the table; x86-64 has x32's too here.
  func holds(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    let isArchitecture = try SymbolicWord(.architecture, in: &diagram)
      .holds(.equal, SymbolicWord(architecture.rawValue), in: &diagram)
    guard self == .x32 else { return isArchitecture }
    let isMarked = try diagram.choose(diagram.bit(31, of: .number), .never, diagram.bit(30, of: .number))
    return try diagram.choose(isArchitecture, isMarked, .never)
  }
}
