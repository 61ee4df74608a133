/// A call that two sides decide differently.
public struct Counterexample: Hashable, Sendable {
  /// The call.
  public let call: SeccompData
  /// What becomes of it on the left side.
  public let left: Action
  /// What becomes of it on the right side.
  public let right: Action
}
