import Glibc

/// An untrapped getppid(2) by libc: about the cheapest call there is, so what a mechanism adds shows best.
package struct GetppidWorkload: CallWorkload {
  package let name = "getppid"
  package let summary = "getppid(2) by libc, not trapped"

  package init() {}

  package func perform(_ operations: Int, _ guest: borrowing Guest) {
    for _ in 0..<operations { _ = getppid() }
  }
}
