import Glibc

/// A program that crosses between native and guest code: native calls for each trapped one.
package struct CrossingWorkload: CallWorkload {
  /// Native calls for each trapped one.
  package let native: Int

  package init(_ native: Int) { self.native = native }

  package var name: String { "crossing-\(native)" }
  package var summary: String { "a guest's call, answered, and \(native) native getppid(2)" }
  package var parameter: [String: Int] { ["native": native] }
  package var answer: GuestAnswer { .value }
  package var expected: ExpectedTraps { .answered }

  package func perform(_ operations: Int, _ guest: borrowing Guest) {
    for _ in 0..<operations {
      _ = guest.call(times: 1)
      for _ in 0..<native { _ = getppid() }
    }
  }
}
