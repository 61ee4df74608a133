/// Why nothing could be proved, neither that two sides are equal nor that they differ.
public struct ProofError: Error, Hashable, Sendable {
  /// What the reasoning does not cover.
  public enum Reason: Error, Hashable, Sendable {
    /// A product, quotient or shift whose right-hand side depends on the call.
    case arithmetic(Operation)
    /// An answer computed from the call that can have more than 4096 values.
    case manyAnswers
    /// There are too many different contents of registers and memory to follow.
    case manyStates
    /// What is decided is too entangled (a comparison of two words of the call with each other, for example): the proof
    /// would need more memory or time than it may take.
    case tooLarge
  }

  /// The filter, counted from 0 over all that were given, those of the left side first; nil where it is none of them
  /// alone.
  public let filter: Int?
  /// The place of the instruction in it, from 0.
  public let instruction: Int?
  /// What the reasoning does not cover.
  public let reason: Reason
}

extension ProofError: CustomStringConvertible {
  /// `offset N: cannot reason about instruction I`, and why, in one line; the filter is not named.
  public var description: String {
    guard let instruction else { return "cannot reason about the whole: \(reason)" }
    return "offset \(instruction * 8): cannot reason about instruction \(instruction): \(reason)"
  }
}

extension ProofError.Reason: CustomStringConvertible {
  /// The reason in words.
  public var description: String {
    switch self {
    case .arithmetic(let operation): "in '\(operation.text)' X depends on the call"
    case .manyAnswers: "it returns a number computed from the call, which can have more than 4096 values"
    case .manyStates: "registers and memory can have too many different contents here"
    case .tooLarge: "from here on the decisions are too entangled"
    }
  }
}
