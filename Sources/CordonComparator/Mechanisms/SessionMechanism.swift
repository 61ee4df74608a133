package import Cordon

/// A mechanism that a ``Session`` carries. Nothing but its name differs from one to the next.
package struct SessionMechanism: MeasuredMechanism {
  package let mechanism: Mechanism
  package let summary: String

  package init(_ mechanism: Mechanism, _ summary: String) {
    self.mechanism = mechanism
    self.summary = summary
  }

  package var name: String { mechanism.rawValue }
  package var takesManyRegions: Bool { mechanism == .seccomp }

  package func openSession() throws(MeasurementError) -> Session? {
    do throws(SessionError) { return try Session(mechanism: mechanism) } catch { throw MeasurementError(error) }
  }

  package func enter(_ code: [UInt8], hook: TrapHook) throws(MeasurementError) -> Guest {
    do throws(SessionError) {
      let session = try Session(mechanism: mechanism)
      let region = try session.mapExecutable(code)
      try session.setHook(hook)
      try session.activate()
      // A thread with a selector says itself when it goes from native to guest code.
      session.selector?.state = .allow
      return Guest(session: session, region: region)
    } catch {
      throw MeasurementError(error)
    }
  }
}
