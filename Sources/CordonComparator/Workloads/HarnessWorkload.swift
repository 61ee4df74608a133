/// A guest that returns without a call: what the loop, the crossing and the clock put on every figure.
package struct HarnessWorkload: CallWorkload {
  package let name = "harness"
  package let summary = "a guest that makes no call: what measuring itself costs"

  package init() {}

  /// `mov eax, 110; ret`
  package var code: [UInt8] { [0xb8, 110, 0, 0, 0, 0xc3] }

  package func perform(_ operations: Int, _ guest: borrowing Guest) { _ = guest.call(times: operations) }
}
