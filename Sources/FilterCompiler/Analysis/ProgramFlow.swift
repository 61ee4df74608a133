/// What is known before each instruction of a program, whatever the call.
struct ProgramFlow {
  let operations: [Operation]
  /// For each instruction, what holds before it; nil where no call gets there.
  private(set) var before: [KnownValues?]

  /// Follows all ways through the program in one pass: jumps only go forward.
  init(_ program: Program) {
    operations = program.operations
    before = Array(repeating: nil, count: operations.count)
    before[0] = KnownValues()
    for index in operations.indices {
      for arm in arms(from: index) {
        before[arm.target] = before[arm.target]?.joined(with: arm.known) ?? arm.known
      }
    }
  }

  /// One way to go on from an instruction, and what is known there.
  struct Arm {
    let target: Int
    let known: KnownValues
  }

  /// Whether a call can end at an instruction: by an answer, or by a division by an `X` of 0.
  func canEnd(at index: Int) -> Bool {
    guard let known = before[index] else { return false }
    return switch (operations[index], known.index) {
    case (.answer, _), (.answerAccumulator, _), (.compute(.divide, .index), .constant(0)): true
    case (.compute(.divide, .index), .constant): false
    case (.compute(.divide, .index), _): true
    default: false
    }
  }

  /// The ways that calls can take from an instruction: none where the program ends or no call gets there, two
  /// at a comparison that can turn out either way, the one where it holds first.
  func arms(from index: Int) -> [Arm] {
    guard let known = before[index] else { return [] }
    func arm(_ distance: some BinaryInteger, _ known: KnownValues) -> Arm {
      Arm(target: index + 1 + Int(distance), known: known)
    }
    switch operations[index] {
    case .answer, .answerAccumulator: return []
    case .jump(let distance): return [arm(distance, known)]
    case .compute(.divide, .index) where known.index == .constant(0): return []
    case .branch(let comparison, let operand, let jt, let jf):
      return [
        known.assuming(comparison, operand, is: true).map { arm(jt, $0) },
        known.assuming(comparison, operand, is: false).map { arm(jf, $0) },
      ].compactMap(\.self)
    default: return [arm(0, known.after(operations[index]))]
    }
  }
}
