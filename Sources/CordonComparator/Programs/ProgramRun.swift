import CLinux
import Glibc
import SystemPackage

/// One run of a program, from its start to its end.
struct ProgramRun {
  /// What it wrote to standard output and standard error.
  let output: [UInt8]
  /// What waitpid(2) said of its end.
  let status: Int32
  /// From before it was started until after its end, in nanoseconds.
  let elapsed: Int64

  /// More than any program here writes.
  private static let outputLimit = 1 << 20

  /// Runs `command` where this process is; its first word is looked for as posix_spawnp(3) does.
  init(_ command: [String]) throws(MeasurementError) {
    let made = "cordon-output".withCString {
      linux_call(Int(SYS_memfd_create), Int(bitPattern: $0), 1, 0, 0, 0, 0)
    }
    guard made >= 0 else { throw .failed("no memory for a program's output: \(Errno(rawValue: Int32(-made)))") }
    let file = Int32(made)
    defer { close(file) }
    var arguments = command.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, file, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, file, STDERR_FILENO)
    var process: pid_t = 0
    var status: Int32 = 0
    let start = MonotonicClock.now()
    let result = posix_spawnp(&process, command[0], &actions, nil, &arguments, environ)
    guard result == 0 else { throw .unavailable("\(command[0]) cannot be started: \(Errno(rawValue: result))") }
    while waitpid(process, &status, 0) < 0 { guard errno == EINTR else { throw .failed("\(command[0]) was lost") } }
    elapsed = MonotonicClock.now() - start
    self.status = status
    output = try [UInt8](unsafeUninitializedCapacity: Self.outputLimit) { buffer, count throws(MeasurementError) in
      let found = pread(file, buffer.baseAddress, buffer.count, 0)
      guard found >= 0 else { throw .failed("a program's output cannot be read: \(Errno(rawValue: errno))") }
      count = found
    }
  }
}
