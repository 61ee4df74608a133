public import FilterCompiler

/// Code of a session whose calls trap, or which alone may call.
public struct Region: Sendable, Hashable {
  /// Its place among the session's regions, in the order they were declared.
  public let index: Int
  /// Where its instructions lie, half-open.
  public let range: AddressRange
}
