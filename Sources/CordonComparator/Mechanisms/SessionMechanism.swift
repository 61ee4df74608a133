package import Cordon
package import FilterCompiler

/// A mechanism that a ``Session`` carries. Nothing but its name differs from one to the next.
package struct SessionMechanism: MeasuredMechanism {
  package let mechanism: Mechanism
  package let summary: String
  /// What has `cordon run` trap a program's calls by it; nil where it cannot.
  private let launching: [String]?

  package init(_ mechanism: Mechanism, _ summary: String, launching: [String]? = nil) {
    self.mechanism = mechanism
    self.summary = summary
    self.launching = launching
  }

  package var name: String { mechanism.rawValue }
  package var takesManyRegions: Bool { mechanism == .seccomp }

  package func openSession() throws(MeasurementError) -> Session? {
    do throws(SessionError) { return try Session(mechanism: mechanism) } catch { throw MeasurementError(error) }
  }

  package var hasSessions: Bool { true }
  package var takesChanges: Bool { true }

  package func liveRegions() throws(MeasurementError) -> any LiveRegions {
    guard let regions = try enter(Guest.getppid, answer: .value, scope: .allThreads).liveRegions else {
      throw .failed("the guest has no session")
    }
    return regions
  }

  package func command(running program: [String]) -> [String]? { launching.map { $0 + ["--"] + program } }

  package func trap(_ regions: [AddressRange]) throws(MeasurementError) -> Session? {
    do throws(SessionError) {
      let session = try Session(mechanism: mechanism)
      for region in regions { try session.trap(region) }
      try session.setHook(GuestAnswer.pass.hook)
      try session.activate()
      session.selector?.state = .allow
      return session
    } catch {
      throw MeasurementError(error)
    }
  }

  package func enter(_ code: [UInt8], answer: GuestAnswer, scope: Session.Scope) throws(MeasurementError) -> Guest {
    do throws(SessionError) {
      let session = try Session(mechanism: mechanism)
      let region = try session.mapExecutable(code)
      try session.setHook(answer.hook)
      try session.activate(for: scope)
      // A thread with a selector says itself when it goes from native to guest code.
      session.selector?.state = .allow
      return Guest(session: session, region: region)
    } catch {
      throw MeasurementError(error)
    }
  }
}
