import CLinux

/// An untrapped sysinfo(2) by libc: the benchmark of the memory-map RFC and of syscall user dispatch itself.
package struct SysinfoWorkload: CallWorkload {
  package let name = "sysinfo"
  package let summary = "sysinfo(2) by libc, not trapped"

  package init() {}

  package func perform(_ operations: Int, _ guest: borrowing Guest) {
    // Which module the structure's members belong to depends on how the standard library is linked: none is touched.
    withUnsafeTemporaryAllocation(of: sysinfo.self, capacity: 1) { information in
      for _ in 0..<operations { _ = sysinfo(information.baseAddress) }
    }
  }
}
