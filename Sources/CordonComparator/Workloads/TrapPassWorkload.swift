package import Cordon
import Glibc

/// A guest calls getppid and the hook lets the call through.
package struct TrapPassWorkload: CallWorkload {
  package let name = "trap-pass"
  package let summary = "a guest calls and the hook lets it through"
  package let expected = ExpectedTraps.passed

  package init() {}

  package var hook: TrapHook { .passing }

  package func check(_ guest: borrowing Guest, isNative: Bool) throws(MeasurementError) {
    let result = guest.call(times: 1)
    guard result == Int(getppid()) else { throw .failed("the guest's call returned \(result)") }
  }

  package func perform(_ operations: Int, _ guest: borrowing Guest) { _ = guest.call(times: operations) }
}
