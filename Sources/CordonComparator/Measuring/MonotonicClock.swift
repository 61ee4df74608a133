import CLinux
import Cordon
import Glibc

/// CLOCK_MONOTONIC, which the vDSO answers without a system call wherever the clock source allows.
package enum MonotonicClock {
  /// Clock sources that the vDSO answers without a system call.
  package static let quickSources: Set = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page"]

  /// The clock source, as the kernel calls it; "unknown" where it does not say.
  package static func source() -> String {
    KernelFile.line("/sys/devices/system/clocksource/clocksource0/current_clocksource") ?? "unknown"
  }

  /// Whether the vDSO answers by itself. Where it would ask the kernel, libc does so in its place: under mechanisms that
  /// leave one stretch of code free, a call of the vDSO's, which may lie outside of that, would trap.
  private static let isQuick = quickSources.contains(source())

  /// Nanoseconds since an unspecified start.
  static func now() -> Int64 {
    var time = timespec()
    if isQuick {
      clock_gettime(CLOCK_MONOTONIC, &time)
    } else {
      withUnsafeMutablePointer(to: &time) {
        _ = linux_call(Int(SYS_clock_gettime), Int(CLOCK_MONOTONIC), Int(bitPattern: $0), 0, 0, 0, 0)
      }
    }
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// What one reading costs, in picoseconds: the least of 101 rows of 100 readings each. Too much of it taken off would make
  /// a figure too small, on a machine that is disturbed even nothing.
  static func cost() -> Int64 {
    let readings: Int64 = 100
    let costs = (0..<101).map { _ in
      let start = now()
      for _ in 1..<readings { _ = now() }
      return (now() - start) * 1_000 / readings
    }
    return costs.min() ?? 0
  }
}
