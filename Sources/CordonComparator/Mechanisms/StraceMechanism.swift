package import Cordon

/// `strace`: strace(1) at every call of a whole program, for scale. What most people would take first.
package struct StraceMechanism: MeasuredMechanism {
  package let name = "strace"
  package let summary = "strace -f of a whole program, output thrown away: for scale"

  package init() {}

  package var answers: Set<GuestAnswer> { [] }
  package var takesGuests: Bool { false }
  package var followsThreads: Bool { true }

  package func enter(_ code: [UInt8], answer: GuestAnswer, scope: Session.Scope) throws(MeasurementError) -> Guest {
    throw .unavailable("it is measured with whole programs only")
  }

  /// Its file; nil where it is not installed.
  package var executable: String? { RealProgram.executable(name) }

  package func command(running program: [String]) -> [String]? {
    [executable ?? name, "-f", "-o", "/dev/null", "--"] + program
  }
}
