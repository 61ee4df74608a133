/// How often calls are made, by their number and by the code that makes them: what a filter is shaped for, so that the
/// calls that are made most take the fewest instructions.
///
/// The two are taken to have nothing to do with each other. What is not listed is taken never to happen; it is decided
/// right all the same, and by ways that are not much longer than in a balanced tree.
public struct CallWeights: Hashable, Sendable {
  /// For each number, calls of the map's own architecture.
  public var numbers: [UInt32: UInt64]
  /// For each range of code the calls from it, which are taken to be spread over it evenly. Ranges may overlap: their calls
  /// add up.
  public var code: [AddressRange: UInt64]

  /// These numbers of calls; all of them may be scaled alike.
  public init(numbers: [UInt32: UInt64] = [:], code: [AddressRange: UInt64] = [:]) {
    self.numbers = numbers
    self.code = code
  }

  /// The calls by number, as they are spread over that word.
  var numberSpread: WordSpread {
    WordSpread(numbers.map { WordSpread.Entry(values: $0.key...$0.key, calls: Double($0.value)) })
  }

  /// The calls by code, as they are spread over instruction pointers.
  func pointerSpread(_ architecture: Architecture) -> PointerSpread {
    PointerSpread(
      code.compactMap { range, count in
        // The kernel reports the address after the instruction; a range that holds none makes no calls.
        let first = range.start + architecture.instructionLength
        return first <= range.end ? (first...range.end, Double(count)) : nil
      })
  }
}
