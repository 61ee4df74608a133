/// Writes a program as text, one line an instruction.
///
/// Comparisons of the two halves of a 64-bit value are written as the comparison of the whole value that they are, where
/// the upper half is known on all ways. Instruction pointers are written as the kernel reports them, so one instruction
/// further than the code; comments name the code.
public struct Disassembler: Sendable {
  /// The name of a system call number of an architecture; nil where it has none.
  public typealias Naming = @Sendable (_ number: UInt32, _ architecture: AuditArchitecture) -> String?

  /// One line of a listing.
  public struct Line: Hashable, Sendable {
    /// The place of the instruction in the program, from 0.
    public let index: Int
    /// What it does.
    public let text: String
    /// What a reader may want to know besides.
    public let comment: String?
    /// The answer that it ends with.
    public let answer: Action?
  }

  /// Whose calls are meant where the program has not asked for the architecture.
  let architecture: AuditArchitecture
  let name: Naming

  /// A disassembler that takes calls for calls of `architecture` where the program does not say, and calls them as
  /// `name` does.
  public init(
    architecture: AuditArchitecture = AuditArchitecture(.host),
    naming name: @escaping Naming = { _, _ in nil }
  ) {
    self.architecture = architecture
    self.name = name
  }

  /// The lines of a program, one for each instruction.
  public func lines(of program: Program) -> [Line] {
    let flow = ProgramFlow(program)
    return flow.operations.indices.map { line($0, flow) }
  }

  /// The whole listing: lines such as `0003: if (ip >= 0x7f1234560002) goto 0006`, each ended by a newline.
  public func text(of program: Program) -> String { lines(of: program).map { "\($0)\n" }.joined() }

  private func line(_ index: Int, _ flow: ProgramFlow) -> Line {
    let operation = flow.operations[index]
    var answer: Action?
    if case .answer(let action) = operation { answer = action }
    guard let known = flow.before[index] else {
      return Line(
        index: index, text: text(operation, index, KnownValues.nothing), comment: "never reached",
        answer: answer)
    }
    return Line(
      index: index, text: text(operation, index, known), comment: comment(index, flow, known), answer: answer)
  }

  private func text(_ operation: Operation, _ index: Int, _ known: KnownValues) -> String {
    switch operation {
    case .branch(let comparison, let operand, let jt, let jf):
      let condition = condition(comparison, operand, known)
      let (whenTrue, whenFalse) = (Self.label(index + 1 + Int(jt)), Self.label(index + 1 + Int(jf)))
      return if jf == 0 {
        "if (\(condition.text(negated: false))) goto \(whenTrue)"
      } else if jt == 0 {
        "if (\(condition.text(negated: true))) goto \(whenFalse)"
      } else {
        "if (\(condition.text(negated: false))) goto \(whenTrue) else goto \(whenFalse)"
      }
    case .jump(let distance): return "goto \(Self.label(index + 1 + Int(distance)))"
    default: return operation.text
    }
  }

  /// A comparison in words, where `known` holds before it.
  func condition(
    _ comparison: Operation.Comparison, _ operand: Operation.Operand, _ known: KnownValues
  ) -> Condition {
    Condition(comparison: comparison, operand: operand, known: known, architecture: architecture, name: name)
  }

  static func label(_ index: Int) -> String {
    let digits = String(index)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// Which code gets an answer here, or which call a number is.
  private func comment(_ index: Int, _ flow: ProgramFlow, _ known: KnownValues) -> String? {
    guard case .branch(let comparison, .constant(let constant), _, _) = flow.operations[index] else {
      return nil
    }
    let arms = flow.arms(from: index)
    if arms.count == 1 { return "always goes to \(Self.label(arms[0].target))" }
    switch known.word {
    case .instructionPointerLow:
      return decidedCode(arms, flow)
    case .number where comparison == .greater || comparison == .greaterOrEqual:
      let architecture = known.architecture ?? architecture
      // The first number of x32 is asked for as the bit that marks all of them.
      let isMark = architecture == .x86_64 && (constant == 0x4000_0000 || constant == 0x3fff_ffff)
      if isMark { return "x32 calls have bit 30" }
      return name(constant, architecture).map { "\(Condition.plainNumber(constant)) is \($0)" }
    default: return nil
    }
  }

  /// The code that gets its answer from one of `arms`: where both answer, the stricter one.
  private func decidedCode(_ arms: [ProgramFlow.Arm], _ flow: ProgramFlow) -> String? {
    let facts = arms.compactMap { arm -> (action: Action, text: String)? in
      guard case .answer(let action) = flow.operations[arm.target], let range = code(where: arm.known)
      else { return nil }
      return (action, "\(action) inside \(range)")
    }
    return facts.min { $0.action.isStricter(than: $1.action) }?.text
  }

  /// The code that a call must come from where `known` holds; nil where that is not bounded on both sides, or is no
  /// region but the space beside one.
  func code(where known: KnownValues) -> AddressRange? {
    guard let high = known.value(of: .instructionPointerHigh),
      let length = (known.architecture ?? architecture).instructionLength
    else { return nil }
    let low = known[.instructionPointerLow]
    let (first, last) = (
      UInt64(high) << 32 | UInt64(low.lowerBound), UInt64(high) << 32 | UInt64(low.upperBound)
    )
    // Where the lower half has not been bounded on both sides, the code goes on beyond the 4 GiB line.
    guard low.lowerBound > 0, low.upperBound < .max, first >= length, first - length < last else {
      return nil
    }
    // Code lies in pages, so what starts or ends a byte beside a page is the space between two regions.
    guard (first - 1) % 4096 != 0, (last - length + 1) % 4096 != 0 else { return nil }
    return AddressRange(nonEmpty: first - length, last)
  }
}

extension Disassembler.Line: CustomStringConvertible {
  /// `INDEX: TEXT`, and the comment behind a semicolon.
  public var description: String {
    let line = "\(Disassembler.label(index)): \(text)"
    guard let comment else { return line }
    return line + String(repeating: " ", count: max(2, 46 - line.count)) + "; \(comment)"
  }
}

extension KnownValues {
  /// What is known of code that no call gets to.
  fileprivate static var nothing: KnownValues {
    var known = KnownValues()
    known.accumulator = .unknown
    known.index = .unknown
    return known
  }

  /// The architecture, where only one gets here.
  var architecture: AuditArchitecture? { value(of: .architecture).map(AuditArchitecture.init(rawValue:)) }
}
