package import Cordon
package import FilterCompiler

/// `none`: no session and nothing armed. The baseline; the guest's calls just happen.
package struct NativeMechanism: MeasuredMechanism {
  package let name = "none"
  package let summary = "nothing armed: the baseline"

  package init() {}

  package var takesManyRegions: Bool { true }
  package var takesChanges: Bool { true }

  package func liveRegions() -> any LiveRegions { NoRegions() }
  package func command(running program: [String]) -> [String]? { program }

  package func trap(_ regions: [AddressRange]) -> Session? { nil }

  package func enter(_ code: [UInt8], answer: GuestAnswer, scope: Session.Scope) throws(MeasurementError) -> Guest {
    Guest(mapping: try CodeMapping(code))
  }
}

/// What changes where nothing traps: nothing.
private struct NoRegions: LiveRegions {
  func trap(_ range: AddressRange) -> Region? { nil }
  func release(_ region: Region?) {}
}
