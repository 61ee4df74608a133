/// What a filter for a region map is to do, said by the map and its options and not by a program.
public struct RegionSpecification: Hashable, Sendable {
  /// What is to become of calls by where they come from.
  public var map: RegionMap
  /// What is to be decided before that.
  public var options: CompileOptions

  /// A map, with no stages before it where none are given.
  public init(_ map: RegionMap, _ options: CompileOptions = CompileOptions()) {
    self.map = map
    self.options = options
  }
}

extension RegionSpecification: CallSpecification {
  /// The stages as ``CompileOptions`` defines them, built from the last to the first.
  package func answer(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    var result = try diagram.anything()
    for piece in map.pieces() {
      let answer =
        if let disposition = piece.disposition {
          try disposition.answer(in: &diagram)
        } else {
          try diagram.anything()
        }
      result = try diagram.choose(diagram.instructionPointer(atLeast: piece.first), answer, result)
    }
    let trap = try diagram.answer(Action(.trap, data: options.trapData))
    result = try diagram.choose(numbers(options.trapNumbers, in: &diagram), trap, result)
    result = try diagram.choose(patterns(in: &diagram), trap, result)
    let allow = try diagram.answer(Action(.allow))
    if let gate = options.gate {
      let isBehind = try diagram.instructionPointer(atLeast: gate.end + 1)
      let isInside = try diagram.choose(
        isBehind, .never, diagram.instructionPointer(atLeast: gate.start + map.architecture.instructionLength))
      result = try diagram.choose(isInside, allow, result)
    }
    result = try diagram.choose(numbers(options.allowedNumbers, in: &diagram), allow, result)
    if let x32 = options.x32 {
      result = try diagram.choose(CallTable.x32.holds(in: &diagram), x32.answer(in: &diagram), result)
    }
    guard let checked = options.checkedArchitectures else { return result }
    var isChecked = DecisionDiagram.Function.never
    for architecture in checked {
      isChecked = try diagram.choose(self.architecture(architecture, in: &diagram), .always, isChecked)
    }
    return try diagram.choose(isChecked, result, options.otherArchitecture.answer(in: &diagram))
  }

  private func architecture(
    _ architecture: AuditArchitecture, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    try SymbolicWord(.architecture, in: &diagram).holds(.equal, SymbolicWord(architecture.rawValue), in: &diagram)
  }

  /// Whether a call traps from anywhere by what its arguments are.
  func patterns(
    in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    let number = try SymbolicWord(.number, in: &diagram)
    var result = DecisionDiagram.Function.never
    for pattern in options.globalTrapPatterns {
      let isMeant = try number.holds(.equal, SymbolicWord(pattern.number), in: &diagram)
      let matches = try diagram.choose(isMeant, pattern.matches(in: &diagram), .never)
      result = try diagram.choose(matches, .always, result)
    }
    return try diagram.choose(architecture(AuditArchitecture(map.architecture), in: &diagram), result, .never)
  }

  /// Whether a call is one of the numbers that a list has for its architecture.
  func numbers(
    _ list: (AuditArchitecture, RegionMap) -> [UInt32], in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    let number = try SymbolicWord(.number, in: &diagram)
    let listed = [options.foreignAllowedNumbers.keys, options.foreignTrapNumbers.keys].flatMap(Array.init)
    var result = DecisionDiagram.Function.never
    for name in Set(listed + [AuditArchitecture(map.architecture)]).sorted(by: { $0.rawValue < $1.rawValue }) {
      var isListed = DecisionDiagram.Function.never
      for constant in list(name, map) {
        isListed = try diagram.choose(number.holds(.equal, SymbolicWord(constant), in: &diagram), .always, isListed)
      }
      result = try diagram.choose(architecture(name, in: &diagram), isListed, result)
    }
    return result
  }
}

extension Disposition {
  /// What becomes of a call that gets it.
  fileprivate func answer(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    if case .policy(let body) = self { return try body.policy.answer(in: &diagram) }
    return try diagram.answer(answer(to: SeccompData(nr: 0)))
  }
}

extension DecisionDiagram {
  /// Whether the instruction pointer is `bound` or higher.
  mutating func instructionPointer(atLeast bound: UInt64) throws(ProofError.Reason) -> Function {
    try value(.instructionPointerHigh, .instructionPointerLow, atLeast: bound)
  }

  /// Whether a value of 64 bits is `bound` or higher.
  mutating func value(
    _ upper: DataWord, _ lower: DataWord, atLeast bound: UInt64
  ) throws(ProofError.Reason) -> Function {
    let (high, low) = (UInt32(bound >> 32), UInt32(truncatingIfNeeded: bound))
    let upper = try SymbolicWord(upper, in: &self)
    let lower = try SymbolicWord(lower, in: &self)
    let isAbove = try upper.holds(.greater, SymbolicWord(high), in: &self)
    let isOnLine = try upper.holds(.equal, SymbolicWord(high), in: &self)
    let isAtLeast = try lower.holds(.greaterOrEqual, SymbolicWord(low), in: &self)
    return try choose(isAbove, .always, choose(isOnLine, isAtLeast, .never))
  }
}
