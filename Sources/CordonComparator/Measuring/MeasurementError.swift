package import Cordon

/// Why there are no figures for a combination.
package enum MeasurementError: Error, Sendable, Hashable {
  /// This kernel, machine or process cannot do it.
  case unavailable(String)
  /// It should have worked.
  case failed(String)

  package init(_ error: SessionError) {
    self =
      switch error {
      case .unavailable(_, let reason): .unavailable(reason)
      case .filterRefused, .memory, .compilation, .inexpressible: .unavailable("\(error)")
      default: .failed("\(error)")
      }
  }
}
