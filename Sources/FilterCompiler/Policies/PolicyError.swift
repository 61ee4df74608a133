/// Why rules are no policy.
public struct PolicyError: Error, Hashable, Sendable {
  /// What is wrong with a rule.
  public enum Reason: Error, Hashable, Sendable {
    /// The table has no calls with this number.
    case numberOutsideTable(UInt32)
    /// The conditions exclude each other.
    case neverMatches
    /// The rule at an index asks the same and answers the same.
    case repeats(Int)
    /// The rule at an index asks the same, and answers something else.
    case contradicts(Int)
    /// Earlier rules decide all calls that the rule matches.
    case unreachable
    /// As equalities of masked bits, which is what libseccomp compiles rightly, the rules for the call up to this one do
    /// not fit into a filter.
    case tooManyTests
    /// The conditions are more than can be reasoned about.
    case tooEntangled
  }

  /// The rule.
  public let rule: Policy.RuleIndex
  /// What is wrong with it.
  public let reason: Reason

  package init(_ rule: Policy.RuleIndex, _ reason: Reason) {
    self.rule = rule
    self.reason = reason
  }
}

extension PolicyError: CustomStringConvertible {
  /// What is wrong, in one line; rules are counted from 1.
  public var description: String { "rule \(rule.index + 1) for \(rule.table): \(reason)" }
}

extension PolicyError.Reason: CustomStringConvertible {
  /// The reason in words.
  public var description: String {
    switch self {
    case .numberOutsideTable(let number): "\(number) is no number of the table's calls"
    case .neverMatches: "no call can match it: its conditions exclude each other"
    case .repeats(let index): "it says what rule \(index + 1) says"
    case .contradicts(let index): "it contradicts rule \(index + 1), which matches the same calls"
    case .unreachable: "it decides no call: earlier rules match all that it does"
    case .tooManyTests:
      "with this rule the call takes more comparisons of bits than fit into a filter"
    case .tooEntangled: "the conditions on the call are too entangled"
    }
  }
}
