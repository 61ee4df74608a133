/// What a drawing of a program shows: decisions, the ways between them, and the answers at their ends.
///
/// A decision exists once, however many ways lead to it. An answer stands at the end of every way that has it: a line
/// from each of a hundred decisions to one "allow" would hide all the others.
struct Diagram {
  /// A question, with what is computed for it where that is more than loading a word.
  struct Decision {
    let lines: [String]
    /// The ways on, in the order in which they are drawn from top to bottom.
    let ways: [Way]
  }

  /// One way on from a decision.
  struct Way {
    let outcome: Outcome
    let target: Target
  }

  /// What a way is taken for.
  enum Outcome: String {
    case yes, no
    /// There is only this way.
    case always = ""
  }

  enum Target {
    /// An index of ``Diagram/decisions``.
    case decision(Int)
    case answer(Answer)
  }

  /// The end of a way.
  struct Answer: Hashable {
    /// nil where the accumulator is the answer.
    let action: Action?
    /// The code whose calls get it, where all of it is known.
    let code: AddressRange?

    /// The disposition in words.
    var text: String { action?.description ?? "return A" }
  }

  private(set) var decisions: [Decision] = []
  /// Where every call starts.
  let root: Target
  /// The instructions of the program.
  let instructionCount: Int
  /// The most comparisons that a call meets.
  let comparisons: Int

  /// Reads the decisions out of a program.
  init(_ program: Program, _ disassembler: Disassembler) {
    var reader = DiagramReader(program, disassembler)
    reader.read()
    decisions = reader.decisions
    root = reader.target(0, reader.flow.before[0] ?? KnownValues())
    instructionCount = program.instructions.count
    comparisons = program.conditionalsOnLongestPath
  }

  /// How many ways lead to each decision; the start counts as one.
  var waysIn: [Int] {
    var counts = Array(repeating: 0, count: decisions.count)
    for case .decision(let index) in decisions.flatMap(\.ways).map(\.target) + [root] { counts[index] += 1 }
    return counts
  }

  /// What can be said of the whole in one line.
  var caption: String {
    func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
    return "\(counted(instructionCount, "instruction")), at most \(counted(comparisons, "comparison")) a call"
  }
}
