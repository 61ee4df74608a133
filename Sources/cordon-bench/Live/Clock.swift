import Glibc

/// CLOCK_MONOTONIC, in nanoseconds.
func now() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// What an untrapped getppid by libc takes, in nanoseconds: the median of batches.
func getppidNanoseconds() -> Double {
  let calls = 500
  for _ in 0..<20_000 { _ = getppid() }
  let samples = (0..<301).map { _ in
    let start = now()
    for _ in 0..<calls { _ = getppid() }
    return Double(now() - start) / Double(calls)
  }
  return median(samples)
}

/// The middle one.
func median(_ values: [Double]) -> Double {
  values.isEmpty ? .nan : values.sorted()[values.count / 2]
}
