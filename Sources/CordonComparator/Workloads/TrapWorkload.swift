import Glibc

/// A guest calls getppid(2) and is answered.
package struct TrapWorkload: CallWorkload {
  package let answer: GuestAnswer

  package init(_ answer: GuestAnswer) { self.answer = answer }

  package var name: String {
    switch answer {
    case .value: "trap-value"
    case .error: "trap-error"
    case .redirect: "trap-redirect"
    case .pass: "trap-pass"
    }
  }

  package var summary: String {
    switch answer {
    case .value: "a guest calls and is answered a value"
    case .error: "a guest calls and is answered an error"
    case .redirect: "a guest calls and goes on elsewhere"
    case .pass: "a guest calls and the call is let through"
    }
  }

  package var expected: ExpectedTraps { answer == .pass ? .passed : .answered }

  package func check(_ guest: borrowing Guest, isNative: Bool) throws(MeasurementError) {
    let result = guest.call(times: 1)
    guard result == (isNative ? nil : answer.result) ?? Int(getppid()) else {
      throw .failed("the guest's call returned \(result)")
    }
  }

  package func perform(_ operations: Int, _ guest: borrowing Guest) { _ = guest.call(times: operations) }
}
