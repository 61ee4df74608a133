import Cordon
import Glibc
import Subprocess
import SystemPackage
import Testing

/// The built command, found beside the test bundle, and what comes of running it.
enum CordonBinary {
  struct Outcome {
    /// The exit code; nil where a signal ended it.
    let status: CInt?
    let bytes: [UInt8]
    let error: String

    var output: String { String(decoding: bytes, as: UTF8.self) }
    var lines: [Substring] { output.split(separator: "\n", omittingEmptySubsequences: false) }
  }

  static let path: FilePath = {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = max(readlink("/proc/self/exe", &buffer, buffer.count), 0)
    let bundle = FilePath(String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    return bundle.removingLastComponent().appending("cordon")
  }()

  /// Runs `cordon` with these arguments.
  static func run(
    _ arguments: String..., input: [UInt8] = [], environment: [Environment.Key: String?] = [:]
  ) async throws -> Outcome {
    try await run(path, arguments, input: input, environment: environment)
  }

  /// Runs a shell command in which `$cordon` is the command.
  static func shell(_ command: String, in folder: FilePath) async throws -> Outcome {
    try await run("/bin/sh", ["-c", command], environment: ["cordon": path.string], in: folder)
  }

  /// Runs any program.
  static func run(
    _ program: FilePath, _ arguments: [String], input: [UInt8] = [], environment: [Environment.Key: String?] = [:],
    in folder: FilePath? = nil, user: uid_t? = nil
  ) async throws -> Outcome {
    var options = PlatformOptions()
    options.userID = user
    // A file, not a pipe: writing to a command that ends without reading would end the test with SIGPIPE.
    let file = try #require(tmpfile())
    defer { fclose(file) }
    try #require(fwrite(input, 1, input.count, file) == input.count && fflush(file) == 0)
    rewind(file)
    let result = try await Subprocess.run(
      .path(program), arguments: Arguments(arguments), environment: .inherit.updating(environment),
      workingDirectory: folder, platformOptions: options,
      input: .fileDescriptor(FileDescriptor(rawValue: fileno(file)), closeAfterSpawningProcess: false),
      output: .bytes(limit: 1 << 22),
      error: .string(limit: 1 << 16))
    return Outcome(status: result.status, bytes: result.standardOutput, error: result.standardError)
  }
}

extension ExecutionResult {
  fileprivate var status: CInt? {
    if case .exited(let code) = terminationStatus { code } else { nil }
  }
}

extension TimeLimitTrait.Duration {
  /// For tests that run programs: all of them run at once, and each waits for the others' use of the processors.
  static var ofPrograms: Self { .minutes(20) }
}

/// A folder for one test, gone afterwards with all that is in it.
struct TemporaryFolder: ~Copyable {
  let path: FilePath

  init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array(FilePath(parent).appending("cordon-test.XXXXXX").string.utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }

  /// The names of the files in it.
  var contents: [String] { KernelFile.names(in: path.string).sorted() }

  /// The path of a file in it.
  func file(_ name: String) -> String { path.appending(name).string }

  /// Writes a file in it, and returns its path.
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = try FileDescriptor.open(
      path.appending(name), .writeOnly, options: [.create, .truncate],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    try file.closeAfter { _ = try file.writeAll(bytes) }
    return self.file(name)
  }

  func read(_ name: String) throws -> [UInt8] {
    let file = try FileDescriptor.open(path.appending(name), .readOnly)
    return try file.closeAfter {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65536)
      while case let count = try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
        bytes += buffer[..<count]
      }
      return bytes
    }
  }

  deinit {
    for name in contents { unlink(path.appending(name).string) }
    rmdir(path.string)
  }
}
