/// What is to become of calls, as a decision diagram: a side of a proof that is no program.
package protocol CallSpecification: Sendable {
  /// The answer to every call, made of ``DecisionDiagram/answer(_:)`` and, where nobody cares,
  /// ``DecisionDiagram/anything()``.
  func answer(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function
}
