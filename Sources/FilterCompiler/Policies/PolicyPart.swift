/// Some calls of a table of a policy, as a program that was compiled for them alone sees them.
package struct PolicyPart: Sendable {
  /// The table.
  package let table: CallTable
  /// The numbers of the calls, as the kernel reports them.
  package let numbers: [UInt32]
  /// What was compiled for them.
  package let program: Program

  package init(_ table: CallTable, _ numbers: [UInt32], _ program: Program) {
    self.table = table
    self.numbers = numbers
    self.program = program
  }
}

/// What the rules say of the calls of a part, in the words of its program.
struct PartSpecification {
  let part: PolicyPart
  let rules: Policy.Table
  /// What the program takes for the calls' architecture.
  let architecture: AuditArchitecture

  /// What the rules' numbers have and those the program sees have not.
  private var mark: UInt32 { part.table.numbers.lowerBound }

  /// Proves that the program decides as the rules do.
  func prove(for policy: Policy) throws(PolicyBodyError) {
    let found: Counterexample?
    do {
      found = try Prover.difference(
        FilterStack([part.program]), from: self, like: SeccompData(nr: 0, arch: architecture))
    } catch {
      throw PolicyBodyError(part.table, nil, .unproved(error))
    }
    guard let found else { return }
    let call = SeccompData(
      nr: found.call.number | mark, arch: part.table.architecture,
      instructionPointer: found.call.instructionPointer, args: found.call.arguments)
    throw PolicyBodyError(
      part.table, policy.rule(deciding: call), .wrong(Counterexample(call: call, left: found.left, right: found.right)))
  }

  /// The program's decisions on each of the calls, in their fewest steps.
  func decisions(in graph: inout DecisionGraph) throws(ProofError) -> [UInt32: DecisionGraph.NodeID] {
    // Architecture and number first, so that what is left of the function asks for arguments alone.
    var diagram = DecisionDiagram(order: WordOrder([]))
    let whole = try SymbolicExecution.answer(of: part.program, in: &diagram)
    let native = diagram.half(whole, of: .architecture, equal: architecture.rawValue)
    var reader = DecisionReader(diagram)
    var nodes: [UInt32: DecisionGraph.NodeID] = [:]
    for number in part.numbers {
      nodes[number] = reader.node(diagram.half(native, of: .number, equal: number & ~mark), in: &graph)
    }
    return nodes
  }
}

extension PartSpecification: CallSpecification {
  /// What the rules say of the calls that the program is asked about; of all others nobody cares.
  func answer(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    let number = try SymbolicWord(.number, in: &diagram)
    let asked = Set(part.numbers)
    var result = try diagram.anything()
    for (constant, indices) in rules.rulesByNumber where asked.contains(constant) {
      let isMeant = try number.holds(.equal, SymbolicWord(constant & ~mark), in: &diagram)
      result = try diagram.choose(isMeant, rules.answer(of: indices, in: &diagram), result)
    }
    let isNative = try SymbolicWord(.architecture, in: &diagram)
      .holds(.equal, SymbolicWord(architecture.rawValue), in: &diagram)
    return try diagram.choose(isNative, result, diagram.anything())
  }
}
