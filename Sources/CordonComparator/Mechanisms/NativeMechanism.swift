package import Cordon

/// `none`: no session and nothing armed. The baseline; the guest's calls just happen.
package struct NativeMechanism: MeasuredMechanism {
  package let name = "none"
  package let summary = "nothing armed: the baseline"

  package init() {}

  package func enter(_ code: [UInt8], hook: TrapHook) throws(MeasurementError) -> Guest {
    Guest(mapping: try CodeMapping(code))
  }
}
