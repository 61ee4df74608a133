import Glibc
import SystemPackage
import Testing

/// A running `cat`, as a dynamic program to look into; it ends when its owner does.
struct LiveProcess: ~Copyable {
  let id: pid_t
  private let input: FileDescriptor
  private let output: FileDescriptor

  /// Starts the program, and waits until it does its work: then all its libraries are mapped.
  init() throws {
    // What another test starts meanwhile must not get these ends, or this process would not see its input end.
    let (theirInput, input) = try FileDescriptor.pipe(options: .closeOnExec)
    let (output, theirOutput) = try FileDescriptor.pipe(options: .closeOnExec)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, theirInput.rawValue, 0)
    posix_spawn_file_actions_adddup2(&actions, theirOutput.rawValue, 1)
    var id = pid_t()
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("cat"), nil]
    defer { free(arguments[0]) }
    try #require(posix_spawnp(&id, "cat", &actions, nil, &arguments, environ) == 0)
    try theirInput.close()
    try theirOutput.close()
    try #require(try Self.echo(input, output))
    (self.id, self.input, self.output) = (id, input, output)
  }

  /// Whether it does its work.
  func echoes() throws -> Bool { try Self.echo(input, output) }

  private static func echo(_ input: FileDescriptor, _ output: FileDescriptor) throws -> Bool {
    try input.writeAll([1])
    var echo: [UInt8] = [0]
    return try echo.withUnsafeMutableBytes { try output.read(into: $0) } == 1
  }

  /// The executable mappings whose line of /proc/PID/maps ends with `suffix`, read with the plainest means.
  func code(endingWith suffix: String) throws -> [(start: UInt64, end: UInt64)] {
    let file = try #require(fopen("/proc/\(id)/maps", "r"))
    defer { fclose(file) }
    var found: [(UInt64, UInt64)] = []
    var line = [CChar](repeating: 0, count: 4096)
    while fgets(&line, CInt(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let fields = text.split(separator: " ")
      guard fields[1].contains("x"), text.hasSuffix(suffix) else { continue }
      let bounds = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      found.append((bounds[0], bounds[1]))
    }
    return found
  }

  deinit {
    // Without input it has nothing left to do; but a process that was started meanwhile may hold its input open too.
    try? input.close()
    try? output.close()
    kill(id, SIGKILL)
    waitpid(id, nil, 0)
  }
}
