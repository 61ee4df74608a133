/// What one measuring process answers.
package enum Reply: Sendable, Hashable, Codable {
  case measured(Measurement)
  /// This kernel, machine or process cannot do it.
  case unavailable(reason: String)
  /// It should have worked.
  case failed(reason: String)
}
