/// Which registers and memory cells matter to what comes after an instruction: all others can be forgotten, so that ways
/// which differ only in them are one way.
struct LiveRegisters: Equatable {
  /// A bit for each memory cell, and above them one for `A` and one for `X`.
  private var bits: UInt32 = 0

  private static let accumulator: UInt32 = 1 << 16
  private static let index: UInt32 = 1 << 17

  /// Whether `A` matters.
  var accumulator: Bool { bits & Self.accumulator != 0 }
  /// Whether `X` matters.
  var index: Bool { bits & Self.index != 0 }
  /// Whether any memory cell matters.
  var anyCell: Bool { bits & 0xffff != 0 }
  /// Whether a memory cell, 0...15, matters.
  func cell(_ cell: Int) -> Bool { bits >> UInt32(cell) & 1 != 0 }

  /// For each instruction, what matters before it.
  static func before(_ operations: [Operation]) -> [LiveRegisters] {
    var result = [LiveRegisters](repeating: LiveRegisters(), count: operations.count)
    for (place, operation) in operations.enumerated().reversed() {
      var live = LiveRegisters()
      for distance in operation.distances { live.bits |= result[place + 1 + Int(distance)].bits }
      live.bits = live.bits & ~written(operation) | read(operation)
      result[place] = live
    }
    return result
  }

  private static func bit(_ register: Operation.Register) -> UInt32 { register == .accumulator ? accumulator : index }

  private static func written(_ operation: Operation) -> UInt32 {
    switch operation {
    case .loadData, .copyToAccumulator: accumulator
    case .load(let register, _): bit(register)
    case .copyToIndex: index
    case .store(_, let cell): 1 << UInt32(cell)
    case .compute, .negate, .jump, .branch, .answer, .answerAccumulator: 0
    }
  }

  private static func read(_ operation: Operation) -> UInt32 {
    switch operation {
    case .load(_, .memory(let cell)): 1 << UInt32(cell)
    case .store(let register, _): bit(register)
    case .compute(_, .constant), .branch(_, .constant, _, _), .negate, .copyToIndex, .answerAccumulator: accumulator
    case .compute(_, .index), .branch(_, .index, _, _): accumulator | index
    case .copyToAccumulator: index
    case .loadData, .load, .jump, .answer: 0
    }
  }
}
