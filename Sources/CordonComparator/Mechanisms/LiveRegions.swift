package import Cordon
package import FilterCompiler

/// Regions that come and go while their process runs, each by a change of its own.
package protocol LiveRegions: Sendable {
  /// How many changes there can be in one process; nil for any number.
  var limit: Int? { get }
  /// Traps what `range` may issue from now on.
  /// - Returns: What ``release(_:)`` takes; nil where nothing can be released.
  func trap(_ range: AddressRange) throws(MeasurementError) -> Region?
  /// Traps it no longer.
  func release(_ region: Region?) throws(MeasurementError)
}

extension LiveRegions {
  package var limit: Int? { nil }
}

/// The regions of a session.
struct SessionRegions: LiveRegions {
  private let session: Session

  init(_ session: Session) { self.session = session }

  func trap(_ range: AddressRange) throws(MeasurementError) -> Region? {
    do throws(SessionError) { return try session.trap(range) } catch { throw MeasurementError(error) }
  }

  func release(_ region: Region?) throws(MeasurementError) {
    guard let region else { return }
    do throws(SessionError) { try session.remove(region) } catch { throw MeasurementError(error) }
  }

  /// Maps more code in the session's own block, where what is attached traps already.
  func map(_ code: [UInt8]) throws(MeasurementError) -> Region {
    do throws(SessionError) { return try session.mapExecutable(code) } catch { throw MeasurementError(error) }
  }
}
