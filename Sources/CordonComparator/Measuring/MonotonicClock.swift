import Glibc

/// CLOCK_MONOTONIC, which the vDSO answers without a system call wherever the clock source allows.
enum MonotonicClock {
  /// Nanoseconds since an unspecified start.
  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
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
