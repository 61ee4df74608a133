public import FilterCompiler
internal import SystemPackage

/// Why libseccomp made no body of a policy.
public struct PolicyCompileError: Error, Hashable, Sendable {
  /// What went wrong.
  public enum Reason: Error, Hashable, Sendable {
    /// The rule takes more than libseccomp can be given.
    case rule(PolicyError.Reason)
    /// libseccomp refuses the rule, with this error number.
    case refused(CInt)
    /// libseccomp did not come back from the rule in this time, or died of it, and was ended.
    case endless(milliseconds: UInt32)
    /// libseccomp waited for something that did not come, and was ended after this time.
    case standstill(milliseconds: UInt32)
    /// What libseccomp made is no filter that the kernel would take.
    case unreadable(ProgramError)
    /// What libseccomp made decides a call otherwise than the rules do, or could not be proved.
    case body(PolicyBodyError)
    /// The system has no process, or no memory, to run libseccomp in: this error number.
    case unavailable(CInt)
  }

  /// The table whose rules they were.
  public let table: CallTable
  /// The rule; nil where it is not one alone.
  public let rule: Policy.RuleIndex?
  /// What went wrong.
  public let reason: Reason
}

extension PolicyCompileError: CustomStringConvertible {
  /// What is wrong, in one line; rules are counted from 1.
  public var description: String {
    switch reason {
    case .body(let error): "libseccomp: \(error)"
    case .rule, .refused, .endless, .standstill, .unreadable, .unavailable:
      (rule.map { "rule \($0.index + 1) for \(table)" } ?? "the rules for \(table)") + ": \(reason)"
    }
  }
}

extension PolicyCompileError.Reason: CustomStringConvertible {
  /// The reason in words.
  public var description: String {
    switch self {
    case .rule(let reason): "\(reason)"
    case .refused(let number): "libseccomp refuses it: \(Errno(rawValue: number))"
    case .endless(let milliseconds): "libseccomp did not come back from it in \(milliseconds) ms of processor time"
    case .standstill(let milliseconds): "libseccomp stood still on it for \(milliseconds) ms"
    case .unreadable(let error): "libseccomp makes no filter of it: \(error)"
    case .body(let error): "\(error)"
    case .unavailable(let number): "libseccomp cannot be run: \(Errno(rawValue: number))"
    }
  }
}
