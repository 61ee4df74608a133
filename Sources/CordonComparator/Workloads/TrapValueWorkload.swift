package import Cordon
import Glibc

/// A guest calls getppid and the hook answers a value.
package struct TrapValueWorkload: CallWorkload {
  package let name = "trap-value"
  package let summary = "a guest calls and the hook answers a value"
  package let expected = ExpectedTraps.answered

  package init() {}

  package var hook: TrapHook { .answering }

  package func check(_ guest: borrowing Guest, isNative: Bool) throws(MeasurementError) {
    let result = guest.call(times: 1)
    guard result == (isNative ? Int(getppid()) : TrapHook.answer) else {
      throw .failed("the guest's call returned \(result)")
    }
  }

  package func perform(_ operations: Int, _ guest: borrowing Guest) { _ = guest.call(times: operations) }
}
