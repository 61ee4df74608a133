import Cordon

/// How long threads have waited for a processor (`/proc/thread-self/schedstat`, Linux 2.6.9 with CONFIG_SCHED_INFO).
enum RunDelay {
  /// Nanoseconds since the calling thread began, in which it was ready to run and another one had its processor; nil where
  /// the kernel does not count them.
  static func ofThisThread() -> Int64? {
    KernelFile.line("/proc/thread-self/schedstat").flatMap { line in
      line.split(separator: " ").dropFirst().first.flatMap { Int64($0) }
    }
  }
}
