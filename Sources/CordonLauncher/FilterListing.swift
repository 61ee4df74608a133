import FilterCompiler

/// A short filter that is written down instruction by instruction, with labels to jump to. For filters that every run needs
/// and whose shape never changes: the compiler takes longer over them than a short program runs.
struct FilterListing {
  /// Where control goes on: at the next instruction, or at the one that ``mark(_:)`` names.
  enum Label: Int {
    case next, exempt, arena, elsewhere, foreign, ending, birth, mapping, allow, notify, killProcess, trap, rest
  }

  /// The words of struct seccomp_data that are looked at, by their offsets.
  enum Word: UInt32 {
    case number = 0
    case architecture = 4
    case pointerLow = 8
    case pointerHigh = 12
    case argumentLow = 16
    case argumentHigh = 20
    case fourthArgumentLow = 40
  }

  /// By the codes of the jumps that compare with a constant (BPF_JMP and BPF_K).
  enum Comparison: UInt16 {
    case isEqual = 0x15
    case isGreater = 0x25
    case isAtLeast = 0x35
  }

  private struct Line {
    let instruction: Instruction
    let holds: Label
    let fails: Label
  }

  private var lines: [Line] = []
  /// By label, the line that it leads to.
  private var places = InlineArray<13, Int>(repeating: 0)

  /// The next instruction is where the label leads to. Jumps lead forward only, over 255 instructions at most.
  mutating func mark(_ label: Label) { places[label.rawValue] = lines.count }

  mutating func load(_ word: Word) { append(Instruction(code: 0x20, k: word.rawValue), .next, .next) }

  /// Compares what was loaded last with a constant.
  mutating func test(_ comparison: Comparison, _ constant: UInt32, _ holds: Label, else fails: Label = .next) {
    append(Instruction(code: comparison.rawValue, k: constant), holds, fails)
  }

  mutating func answer(_ action: Action) { append(Instruction(code: 0x06, k: action.rawValue), .next, .next) }

  private mutating func append(_ instruction: Instruction, _ holds: Label, _ fails: Label) {
    lines.append(Line(instruction: instruction, holds: holds, fails: fails))
  }

  /// The filter.
  func program() -> Program { Program(emitted: laidOut()) }

  /// The instructions, with their jumps laid out.
  func laidOut() -> [Instruction] {
    lines.indices.map { index in
      var instruction = lines[index].instruction
      instruction.jt = distance(from: index, to: lines[index].holds)
      instruction.jf = distance(from: index, to: lines[index].fails)
      return instruction
    }
  }

  private func distance(from index: Int, to label: Label) -> UInt8 {
    label == .next ? 0 : UInt8(places[label.rawValue] - index - 1)
  }
}
