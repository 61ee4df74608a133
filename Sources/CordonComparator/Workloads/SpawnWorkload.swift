import Glibc

/// Starting a small program and waiting for its end: what a mechanism costs whoever forks and executes, by inheritance
/// too.
package struct SpawnWorkload: CallWorkload {
  package let name = "spawn"
  package let summary = "posix_spawn(3) of /bin/true by libc and its end, untrapped"

  package init() {}

  package func check(_ guest: borrowing Guest, isNative: Bool) throws(MeasurementError) {
    guard let status = Self.spawn() else { throw .failed("/bin/true could not be started") }
    guard status == 0 else { throw .failed("/bin/true ended with status \(status)") }
  }

  package func perform(_ operations: Int, _ guest: borrowing Guest) {
    for _ in 0..<operations { _ = Self.spawn() }
  }

  private static func spawn() -> Int32? {
    var arguments = [strdup("/bin/true"), nil]
    defer { arguments.forEach { free($0) } }
    var process: pid_t = 0
    var status: Int32 = 0
    guard posix_spawn(&process, "/bin/true", nil, nil, &arguments, environ) == 0,
      waitpid(process, &status, 0) == process
    else { return nil }
    return status
  }
}
