/// Decides whether two sides decide every call alike: every number, architecture, instruction pointer and argument.
///
/// Nothing is sampled. Each side becomes a decision diagram of all 512 bits of a call, in a form in which equal functions
/// are identical. So an answer is exact, either way: nil is a proof, and a ``Counterexample`` is a call to try out. What
/// cannot be followed in reasonable space and time is an error and never a yes.
///
/// A verdict is what the kernel makes of a whole stack (``FilterStack/evaluate(_:)``): all 32 bits of it count, but the
/// data of an allowed call, which means nothing, does not.
public enum Prover {
  /// The call nearest to `preferred` that the two stacks decide differently; nil where there is none.
  ///
  /// - Throws: ``ProofError`` where a program does what the reasoning does not cover.
  public static func difference(
    _ left: FilterStack, _ right: FilterStack, like preferred: SeccompData = SeccompData(nr: 0)
  ) throws(ProofError) -> Counterexample? {
    var diagram = DecisionDiagram(order: WordOrder(left.programs + right.programs))
    let first = try answer(of: left, firstFilter: 0, in: &diagram)
    let second = try answer(of: right, firstFilter: left.programs.count, in: &diagram)
    return counterexample(first, second, like: preferred, in: diagram)
  }

  /// The call nearest to `preferred` that the stack does not decide as the map and its options say; nil where there is
  /// none. In don't-care gaps any answer is right.
  ///
  /// - Throws: ``ProofError`` where a program does what the reasoning does not cover.
  public static func difference(
    _ left: FilterStack, _ specification: RegionSpecification, like preferred: SeccompData = SeccompData(nr: 0)
  ) throws(ProofError) -> Counterexample? {
    try difference(left, from: specification, like: preferred)
  }

  /// The same for any specification.
  package static func difference(
    _ left: FilterStack, from specification: some CallSpecification, like preferred: SeccompData
  ) throws(ProofError) -> Counterexample? {
    var diagram = DecisionDiagram(order: WordOrder(left.programs))
    let first = try answer(of: left, firstFilter: 0, in: &diagram)
    let second = try whole { () throws(ProofError.Reason) in
      try diagram.completed(specification.answer(in: &diagram), by: first)
    }
    return counterexample(first, second, like: preferred, in: diagram)
  }

  /// What becomes of calls under a stack: the kernel starts from "allow" and runs the newest filter first.
  private static func answer(
    of stack: FilterStack, firstFilter: Int, in diagram: inout DecisionDiagram
  ) throws(ProofError) -> DecisionDiagram.Function {
    var result = try whole { () throws(ProofError.Reason) in try diagram.answer(Action(.allow)) }
    for (index, program) in stack.programs.enumerated().reversed() {
      let older: DecisionDiagram.Function
      do throws(ProofError) {
        older = try SymbolicExecution.answer(of: program, in: &diagram)
      } catch {
        throw ProofError(filter: firstFilter + index, instruction: error.instruction, reason: error.reason)
      }
      result = try whole { () throws(ProofError.Reason) in try diagram.strictest(newer: result, older: older) }
    }
    return result
  }

  /// Runs what belongs to no instruction.
  private static func whole<Result>(_ body: () throws(ProofError.Reason) -> Result) throws(ProofError) -> Result {
    do {
      return try body()
    } catch {
      throw ProofError(filter: nil, instruction: nil, reason: error)
    }
  }

  private static func counterexample(
    _ left: DecisionDiagram.Function, _ right: DecisionDiagram.Function, like preferred: SeccompData,
    in diagram: DecisionDiagram
  ) -> Counterexample? {
    guard left != right else { return nil }
    let call = diagram.call(telling: left, from: right, like: preferred)
    guard case .action(let first) = diagram.answer(of: left, to: call),
      case .action(let second) = diagram.answer(of: right, to: call)
    else { preconditionFailure("the verdict on a call is an action") }
    return Counterexample(call: call, left: first, right: second)
  }
}
