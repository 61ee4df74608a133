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
    let own = try architecture(AuditArchitecture(map.architecture), in: &diagram)
    var result = try diagram.anything()
    for piece in map.pieces() {
      let answer =
        if let disposition = piece.disposition {
          try diagram.answer(disposition.action)
        } else {
          try diagram.anything()
        }
      result = try diagram.choose(diagram.instructionPointer(atLeast: piece.first), answer, result)
    }
    let trapped = try numbers(options.globalTrapNumbers, own, in: &diagram)
    result = try diagram.choose(trapped, diagram.answer(Disposition.trap(data: options.trapData).action), result)
    let allow = try diagram.answer(Disposition.allow.action)
    if let gate = options.gate {
      let isBehind = try diagram.instructionPointer(atLeast: gate.end + 1)
      let isInside = try diagram.choose(
        isBehind, .never, diagram.instructionPointer(atLeast: gate.start + map.architecture.instructionLength))
      result = try diagram.choose(isInside, allow, result)
    }
    result = try diagram.choose(numbers(options.allowedNumbers, own, in: &diagram), allow, result)
    guard let checked = options.checkedArchitectures else { return result }
    var isChecked = DecisionDiagram.Function.never
    for architecture in checked {
      isChecked = try diagram.choose(self.architecture(architecture, in: &diagram), .always, isChecked)
    }
    return try diagram.choose(isChecked, result, diagram.answer(options.otherArchitecture.action))
  }

  private func architecture(
    _ architecture: AuditArchitecture, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    try SymbolicWord(.architecture, in: &diagram).holds(.equal, SymbolicWord(architecture.rawValue), in: &diagram)
  }

  /// Whether a call is one of `numbers`, and native.
  private func numbers(
    _ numbers: [UInt32], _ own: DecisionDiagram.Function, in diagram: inout DecisionDiagram
  ) throws(ProofError.Reason) -> DecisionDiagram.Function {
    let number = try SymbolicWord(.number, in: &diagram)
    var result = DecisionDiagram.Function.never
    for constant in numbers {
      result = try diagram.choose(number.holds(.equal, SymbolicWord(constant), in: &diagram), .always, result)
    }
    return try diagram.choose(own, result, .never)
  }
}

extension DecisionDiagram {
  /// Whether the instruction pointer is `bound` or higher.
  fileprivate mutating func instructionPointer(atLeast bound: UInt64) throws(ProofError.Reason) -> Function {
    let (high, low) = (UInt32(bound >> 32), UInt32(truncatingIfNeeded: bound))
    let upper = try SymbolicWord(.instructionPointerHigh, in: &self)
    let lower = try SymbolicWord(.instructionPointerLow, in: &self)
    let isAbove = try upper.holds(.greater, SymbolicWord(high), in: &self)
    let isOnLine = try upper.holds(.equal, SymbolicWord(high), in: &self)
    let isAtLeast = try lower.holds(.greaterOrEqual, SymbolicWord(low), in: &self)
    return try choose(isAbove, .always, choose(isOnLine, isAtLeast, .never))
  }
}
