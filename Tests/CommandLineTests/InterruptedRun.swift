import Cordon
import Glibc
import SystemPackage
import Testing

/// A run of `cordon` that is sent a signal once it has come so far. It has a thread of its own: a task might have to wait for
/// others for longer than the command runs.
struct InterruptedRun: Sendable {
  /// As by wait(2); -1 where it could not be started.
  private(set) var status: CInt = -1
  private(set) var output = ""
  /// Its children that were seen, in their order.
  private(set) var children: [pid_t] = []

  /// - Parameters:
  ///   - environment: `NAME=VALUE`, besides what there is.
  ///   - count: which of its children it is signalled at.
  ///   - word: only children that were started with this word among others count.
  init(
    _ arguments: [String], environment: [String] = [], by signal: CInt, atChild count: Int,
    startedWith word: String? = nil
  ) async {
    self = await withCheckedContinuation { continuation in
      _ = OwnThread {
        var run = InterruptedRun()
        run.perform(arguments, environment, signal, count, word)
        continuation.resume(returning: run)
      }
    }
  }

  private init() {}

  private mutating func perform(
    _ arguments: [String], _ environment: [String], _ signal: CInt, _ count: Int, _ word: String?
  ) {
    guard let file = tmpfile() else { return }
    defer { fclose(file) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, fileno(file), 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var words = ([CordonBinary.path.string] + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup($0) }
    defer { for text in words + variables { free(text) } }
    for index in 0... {
      guard let variable = environ[index] else { break }
      variables.append(strdup(variable))
    }
    variables.append(nil)
    var process: pid_t = 0
    guard posix_spawn(&process, CordonBinary.path.string, &actions, nil, &words, &variables) == 0 else { return }
    while children.count < count {
      // A command that has come to its end is not waited for.
      if waitpid(process, &status, WNOHANG) == process { return }
      usleep(1000)
      guard let child = Self.firstChild(of: process), !children.contains(child) else { continue }
      guard word.map({ Self.wasStarted(child, with: $0) }) ?? true else { continue }
      children.append(child)
    }
    kill(process, signal)
    waitpid(process, &status, 0)
    rewind(file)
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    output = String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
  }

  private static func wasStarted(_ process: pid_t, with word: String) -> Bool {
    (KernelFile.text("/proc/\(process)/cmdline") ?? "").split(separator: "\0").contains(Substring(word))
  }

  private static func firstChild(of parent: pid_t) -> pid_t? {
    for task in KernelFile.names(in: "/proc/\(parent)/task") {
      let children = KernelFile.text("/proc/\(parent)/task/\(task)/children") ?? ""
      if let child = children.split(separator: " ").first.flatMap({ pid_t($0) }) { return child }
    }
    return nil
  }
}
