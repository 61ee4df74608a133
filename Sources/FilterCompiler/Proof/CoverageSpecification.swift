/// What filters that are made one after the other have to do together: at least these instruction pointers trap, and calls
/// that match a pattern from anywhere; those from the gate pass. Of all others nobody cares, since whoever gets them lets
/// them happen.
package struct CoverageSpecification: Sendable {
  /// Instruction pointers, ascending.
  package var trapped: [ClosedRange<UInt64>]
  /// Numbers of calls that nobody cares for, wherever they come from.
  package var exempt: [UInt32]
  /// Calls that trap wherever they come from but the gate.
  package var patterns: [CallPattern]
  package var gate: AddressRange
  package var trapData: UInt16
  package var architecture: Architecture

  package init(
    trapped: [ClosedRange<UInt64>], exempt: [UInt32] = [], patterns: [CallPattern] = [], gate: AddressRange,
    trapData: UInt16,
    architecture: Architecture = .x86_64
  ) {
    self.trapped = trapped
    self.exempt = exempt
    self.patterns = patterns
    self.gate = gate
    self.trapData = trapData
    self.architecture = architecture
  }
}

extension CoverageSpecification: CallSpecification {
  package func answer(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    let trap = try diagram.answer(Action(.trap, data: trapData))
    var result = try diagram.anything()
    for pointers in trapped {
      result = try diagram.choose(diagram.instructionPointer(atLeast: pointers.lowerBound), trap, result)
      guard pointers.upperBound < .max else { continue }
      let isBehind = try diagram.instructionPointer(atLeast: pointers.upperBound + 1)
      result = try diagram.choose(isBehind, diagram.anything(), result)
    }
    let stages = RegionSpecification(
      RegionMap(architecture: architecture, default: .allow),
      CompileOptions(allowedNumbers: exempt, globalTrapPatterns: patterns))
    let isExempt = try stages.numbers(stages.options.allowedNumbers, in: &diagram)
    result = try diagram.choose(isExempt, diagram.anything(), result)
    result = try diagram.choose(stages.patterns(in: &diagram), trap, result)
    let isBehind = try diagram.instructionPointer(atLeast: gate.end + 1)
    let isInside = try diagram.choose(
      isBehind, .never, diagram.instructionPointer(atLeast: gate.start + architecture.instructionLength))
    return try diagram.choose(isInside, diagram.answer(Action(.allow)), result)
  }
}
