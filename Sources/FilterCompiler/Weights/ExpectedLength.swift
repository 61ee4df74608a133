extension Program {
  /// How many instructions a call runs through on average, loads and the return included, where calls of `architecture`
  /// are made as often as `weights` say; nil where they list none.
  ///
  /// Where weights say nothing of numbers, every number and where they say nothing of code, every address is as likely.
  /// A comparison of what the weights say nothing about, such as an argument, is taken to go either way equally often.
  public func expectedLength(_ weights: CallWeights, on architecture: Architecture) -> Double? {
    guard var run = ExpectedLength(self, weights, architecture) else { return nil }
    return run.mean(self)
  }
}

/// Runs all calls that weights list through a program at once.
struct ExpectedLength {
  /// Calls that have these values, spread evenly over all combinations.
  private struct Calls: Hashable {
    var number: ClosedRange<UInt32>
    var pointer: PointerSpread.Box

    subscript(word: DataWord) -> ClosedRange<UInt32>? {
      get {
        switch word {
        case .number: number
        case .instructionPointerHigh: pointer.upper
        case .instructionPointerLow: pointer.lower
        default: nil
        }
      }
      set {
        guard let newValue else { return }
        switch word {
        case .number: number = newValue
        case .instructionPointerHigh: pointer.upper = newValue
        case .instructionPointerLow: pointer.lower = newValue
        default: break
        }
      }
    }
  }

  /// What is known of the accumulator.
  private enum Accumulator: Hashable {
    case word(DataWord)
    case unknown
  }

  private let architecture: UInt32
  private let calls: Double
  /// For each instruction, the calls that get there, by what the accumulator holds then, and how many.
  private var arriving: [[Accumulator: [Calls: Double]]]

  init?(_ program: Program, _ weights: CallWeights, _ machine: Architecture) {
    architecture = machine.auditArchitecture
    let numbers = weights.numberSpread.entries
    let boxes = weights.pointerSpread(machine).boxes
    guard !numbers.isEmpty || !boxes.isEmpty else { return nil }
    let everywhere = (box: PointerSpread.Box(upper: 0...(.max), lower: 0...(.max)), calls: 1.0)
    var all: [Calls: Double] = [:]
    for number in numbers.isEmpty ? [WordSpread.Entry(values: 0...(.max), calls: 1)] : numbers {
      for (box, calls) in boxes.isEmpty ? [everywhere] : boxes {
        all[Calls(number: number.values, pointer: box), default: 0] += number.calls * calls
      }
    }
    calls = all.values.reduce(0, +)
    arriving = Array(repeating: [:], count: program.instructions.count)
    arriving[0] = [.unknown: all]
  }

  /// Lets the calls run. Jumps only go forward: whoever gets to an instruction does so from an earlier one.
  mutating func mean(_ program: Program) -> Double {
    var sum = 0.0
    for (index, operation) in program.operations.enumerated() {
      let here = arriving[index]
      arriving[index] = [:]
      for (accumulator, calls) in here {
        sum += calls.values.reduce(0, +)
        step(operation, at: index, accumulator, calls)
      }
    }
    return sum / calls
  }

  private mutating func step(
    _ operation: Operation, at index: Int, _ accumulator: Accumulator, _ calls: [Calls: Double]
  ) {
    switch operation {
    case .answer, .answerAccumulator: break
    case .loadData(let word): send(calls, to: index + 1, .word(word))
    case .load(.accumulator, _), .compute, .negate, .copyToAccumulator: send(calls, to: index + 1, .unknown)
    case .load(.index, _), .store, .copyToIndex: send(calls, to: index + 1, accumulator)
    case .jump(let distance): send(calls, to: index + 1 + Int(distance), accumulator)
    case .branch(let comparison, let operand, let jt, let jf):
      let (taken, others) = split(calls, accumulator, comparison, operand)
      send(taken, to: index + 1 + Int(jt), accumulator)
      send(others, to: index + 1 + Int(jf), accumulator)
    }
  }

  private mutating func send(_ calls: [Calls: Double], to index: Int, _ accumulator: Accumulator) {
    if !calls.isEmpty { arriving[index][accumulator, default: [:]].merge(calls, uniquingKeysWith: +) }
  }

  /// The calls for which a comparison holds, and the others.
  private func split(
    _ calls: [Calls: Double], _ accumulator: Accumulator, _ comparison: Operation.Comparison,
    _ operand: Operation.Operand
  ) -> ([Calls: Double], [Calls: Double]) {
    guard case .word(let word) = accumulator, case .constant(let constant) = operand else { return halved(calls) }
    if word == .architecture { return comparison.holds(architecture, constant) ? (calls, [:]) : ([:], calls) }
    var (taken, others): ([Calls: Double], [Calls: Double]) = ([:], [:])
    for (call, count) in calls {
      guard let values = call[word], let parts = comparison.parts(of: values, constant) else { return halved(calls) }
      for (part, holds) in parts {
        var some = call
        some[word] = part
        let share = count * values.share(in: part)
        if holds { taken[some, default: 0] += share } else { others[some, default: 0] += share }
      }
    }
    return (taken, others)
  }

  private func halved(_ calls: [Calls: Double]) -> ([Calls: Double], [Calls: Double]) {
    let half = calls.mapValues { $0 / 2 }
    return (half, half)
  }
}

extension Operation.Comparison {
  /// The values of a range in runs for which the comparison with a constant has one outcome; nil where that is not a
  /// matter of a few runs.
  fileprivate func parts(
    of values: ClosedRange<UInt32>, _ constant: UInt32
  ) -> [(ClosedRange<UInt32>, Bool)]? {
    let (first, last) = (values.lowerBound, values.upperBound)
    if first == last { return [(values, holds(first, constant))] }
    switch self {
    case .anyBit: return nil
    case .greater where constant == .max: return [(values, false)]
    case .greater: return Self.greaterOrEqual.parts(of: values, constant + 1)
    case .greaterOrEqual:
      if first >= constant { return [(values, true)] }
      return last < constant ? [(values, false)] : [(first...constant - 1, false), (constant...last, true)]
    case .equal:
      guard values.contains(constant) else { return [(values, false)] }
      var parts = [(constant...constant, true)]
      if first < constant { parts.append((first...constant - 1, false)) }
      if constant < last { parts.append((constant + 1...last, false)) }
      return parts
    }
  }
}
