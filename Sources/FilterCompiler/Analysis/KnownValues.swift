/// What is known of the registers and of the call's words at one instruction, on every way that leads there.
struct KnownValues: Equatable {
  /// What a register holds.
  enum Content: Equatable {
    case unknown
    case constant(UInt32)
    /// A word of the call's description with these bits kept.
    case word(DataWord, mask: UInt32)
  }

  var accumulator: Content = .constant(0)
  var index: Content = .constant(0)
  /// The bounds of each word of the call's description, learned from the comparisons on the way.
  private var bounds = [ClosedRange<UInt32>](repeating: 0...(.max), count: 16)

  /// The bounds of a word.
  subscript(word: DataWord) -> ClosedRange<UInt32> {
    get { bounds[word.index] }
    set { bounds[word.index] = newValue }
  }

  /// The only value that a word can have here; nil where there are several.
  func value(of word: DataWord) -> UInt32? {
    let known = self[word]
    return known.lowerBound == known.upperBound ? known.lowerBound : nil
  }

  /// The word that the accumulator holds whole.
  var word: DataWord? {
    guard case .word(let word, .max) = accumulator else { return nil }
    return word
  }

  /// What holds on this way as well as on another that leads to the same instruction.
  func joined(with other: KnownValues) -> KnownValues {
    var result = self
    if accumulator != other.accumulator { result.accumulator = .unknown }
    if index != other.index { result.index = .unknown }
    result.bounds = zip(bounds, other.bounds).map { own, range in
      min(own.lowerBound, range.lowerBound)...max(own.upperBound, range.upperBound)
    }
    return result
  }

  /// What is known after an operation that goes on with the next instruction.
  func after(_ operation: Operation) -> KnownValues {
    var result = self
    switch operation {
    case .loadData(let word): result.accumulator = .word(word, mask: .max)
    case .load(.accumulator, let source): result.accumulator = Self.content(source)
    case .load(.index, let source): result.index = Self.content(source)
    case .compute(.and, .constant(let mask)):
      switch accumulator {
      case .word(let word, let kept): result.accumulator = .word(word, mask: kept & mask)
      case .constant(let value): result.accumulator = .constant(value & mask)
      case .unknown: break
      }
    case .compute, .negate: result.accumulator = .unknown
    case .copyToIndex: result.index = accumulator
    case .copyToAccumulator: result.accumulator = index
    case .store, .jump, .branch, .answer, .answerAccumulator: break
    }
    return result
  }

  private static func content(_ source: Operation.Source) -> Content {
    switch source {
    case .constant(let value): .constant(value)
    case .length: .constant(64)
    case .memory: .unknown
    }
  }

  /// What is known where a comparison turned out as `outcome`; nil where it cannot.
  func assuming(_ comparison: Operation.Comparison, _ operand: Operation.Operand, is outcome: Bool)
    -> KnownValues?
  {
    guard let word, case .constant(let constant) = operand else { return self }
    guard let range = self[word].narrowed(comparison, constant, outcome) else { return nil }
    var result = self
    result[word] = range
    return result
  }
}

extension ClosedRange<UInt32> {
  /// The part of the range where a comparison with `constant` turns out as `outcome`, or a range around that part;
  /// nil where there is no such value.
  fileprivate func narrowed(
    _ comparison: Operation.Comparison, _ constant: UInt32, _ outcome: Bool
  ) -> ClosedRange? {
    switch (comparison, outcome) {
    case (.equal, true): contains(constant) ? constant...constant : nil
    case (.equal, false):
      if lowerBound == constant {
        from(constant, excluded: true)
      } else if upperBound == constant {
        upTo(constant, excluded: true)
      } else {
        self
      }
    case (.greaterOrEqual, true): from(constant, excluded: false)
    case (.greaterOrEqual, false): upTo(constant, excluded: true)
    case (.greater, true): from(constant, excluded: true)
    case (.greater, false): upTo(constant, excluded: false)
    case (.anyBit, _): self
    }
  }

  private func from(_ constant: UInt32, excluded: Bool) -> ClosedRange? {
    if excluded, constant == .max { return nil }
    let lowest = Swift.max(lowerBound, excluded ? constant + 1 : constant)
    return lowest <= upperBound ? lowest...upperBound : nil
  }

  private func upTo(_ constant: UInt32, excluded: Bool) -> ClosedRange? {
    if excluded, constant == 0 { return nil }
    let highest = Swift.min(upperBound, excluded ? constant - 1 : constant)
    return lowerBound <= highest ? lowerBound...highest : nil
  }
}
