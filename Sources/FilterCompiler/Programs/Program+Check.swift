extension Program {
  /// The kernel's own checks, in the order in which a reader of the bytes meets what is wrong.
  static func check(_ instructions: [Instruction]) throws(ProgramError) {
    func refusal(at index: Int, _ reason: ProgramError.Reason) -> ProgramError {
      ProgramError(offset: index * 8, reason: reason)
    }
    guard !instructions.isEmpty else { throw refusal(at: 0, .empty) }
    guard instructions.count <= maximumLength else {
      throw refusal(at: maximumLength, .tooLong)
    }
    // For each instruction the memory cells written on every way to it, a bit each. Jumps only go forward, so one
    // pass meets every way before the instruction itself. As in the kernel (check_load_and_stores in
    // net/core/filter.c) a return counts as a way to the instruction after it.
    var written = [UInt16](repeating: .max, count: instructions.count)
    written[0] = 0
    for (index, instruction) in instructions.enumerated() {
      let operation: Operation
      do { operation = try Operation(instruction) } catch { throw refusal(at: index, error) }
      var cells = written[index]
      switch operation {
      case .store(_, let cell): cells |= 1 << cell
      case .load(_, .memory(let cell)):
        guard cells & 1 << cell != 0 else { throw refusal(at: index, .memoryReadBeforeWritten(cell)) }
      default: break
      }
      for distance in operation.distances {
        let target = index + 1 + Int(distance)
        guard target < instructions.count else {
          throw refusal(at: index, distance == 0 ? .endsWithoutReturn : .jumpOutOfRange(distance: distance))
        }
        written[target] &= cells
      }
      if operation.distances.isEmpty, index + 1 < instructions.count { written[index + 1] &= cells }
    }
  }
}

extension Operation {
  /// Over how many instructions control can pass from here; none where the program ends.
  var distances: [UInt32] {
    switch self {
    case .answer, .answerAccumulator: []
    case .jump(let distance): [distance]
    case .branch(_, _, let jt, let jf): jt == jf ? [UInt32(jt)] : [UInt32(jt), UInt32(jf)]
    default: [0]
    }
  }
}
