/// One table of a policy, as a program that was compiled for it alone sees its calls.
struct TableView {
  let name: CallTable
  let table: Policy.Table
  /// What the program takes for the calls' architecture.
  let architecture: AuditArchitecture

  /// The numbers that the program is asked about: the table's, without its mark.
  private static let numbers: ClosedRange<UInt32> = 0...0x3fff_ffff

  /// What the rules' numbers have and those the program sees have not.
  private var mark: UInt32 { name.numbers.lowerBound }

  /// Proves that the program decides as the table's rules do.
  func prove(_ program: Program, for policy: Policy) throws(PolicyBodyError) {
    let found: Counterexample?
    do {
      found = try Prover.difference(
        FilterStack([program]), from: self, like: SeccompData(nr: 0, arch: architecture))
    } catch {
      throw PolicyBodyError(name, nil, .unproved(error))
    }
    guard let found else { return }
    let call = SeccompData(
      nr: found.call.number | mark, arch: name.architecture, instructionPointer: found.call.instructionPointer,
      args: found.call.arguments)
    throw PolicyBodyError(
      name, policy.rule(deciding: call), .wrong(Counterexample(call: call, left: found.left, right: found.right)))
  }

  /// The program's decisions in their fewest steps, for the table's numbers in ascending segments.
  func decisions(
    of program: Program, in graph: inout DecisionGraph
  ) throws(ProofError) -> [NumberLine.Segment] {
    // Architecture and number first, so that what is left of the function asks for arguments alone.
    var diagram = DecisionDiagram(order: WordOrder([]))
    var function = try SymbolicExecution.answer(of: program, in: &diagram)
    function = diagram.half(function, of: .architecture, equal: architecture.rawValue)
    var reader = DecisionReader(diagram)
    return reader.segments(of: function, by: .number, upTo: Self.numbers.upperBound).map { segment in
      NumberLine.Segment(first: segment.first | mark, node: reader.node(segment.function, in: &graph))
    }
  }
}

extension TableView: CallSpecification {
  /// What the rules say of the calls that the program is asked about; of all others nobody cares.
  func answer(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    let isNative = try SymbolicWord(.architecture, in: &diagram)
      .holds(.equal, SymbolicWord(architecture.rawValue), in: &diagram)
    let isOutside = try SymbolicWord(.number, in: &diagram)
      .holds(.greater, SymbolicWord(Self.numbers.upperBound), in: &diagram)
    let isAsked = try diagram.choose(isOutside, .never, isNative)
    return try diagram.choose(isAsked, table.answer(without: mark, in: &diagram), diagram.anything())
  }
}
