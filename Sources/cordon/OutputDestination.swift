import Cordon
import Glibc
import SystemPackage

/// Where a result goes: standard output, or a file that appears whole or not at all.
enum OutputDestination {
  case standardOutput
  /// A name from the command line, and what is added to it.
  case file(String, ending: String = "")

  /// The destination that `-o` names; `-` and nothing are standard output.
  init(_ name: String?) {
    if let name, name != "-" { self = .file(name) } else { self = .standardOutput }
  }

  /// Whether a person will look at the bytes as they are.
  var isTerminal: Bool {
    switch self {
    case .standardOutput: isatty(STDOUT_FILENO) == 1
    case .file: false
    }
  }

  /// How to colour what is written there.
  var style: TerminalStyle {
    switch self {
    case .standardOutput: TerminalStyle(for: .standardOutput)
    case .file: .plain
    }
  }

  func write(_ bytes: some Sequence<UInt8>) throws(CommandFailure) {
    switch self {
    case .standardOutput:
      do {
        try FileDescriptor.standardOutput.writeAll(bytes)
      } catch {
        throw .unavailable("standard output", "cannot be written: \(error)")
      }
    case .file(let name, let ending):
      do {
        try Self.replace(ArgumentPath.path(name, ending: ending), with: Array(bytes))
      } catch {
        throw .badInput(ArgumentPath.words(name) + ending, "cannot be written: \(error)")
      }
    }
  }

  /// Writes a file beside the one that is meant, and renames it to that, so that no reader and no interruption
  /// meets half of it. What is not a regular file, such as /dev/null or a pipe, is written to as it is.
  private static func replace(_ path: FilePath, with bytes: [UInt8]) throws(Errno) {
    var status = stat()
    let exists = path.withPlatformString { stat($0, &status) } == 0
    if exists, status.st_mode & S_IFMT != S_IFREG {
      try write(bytes, to: path)
      return
    }
    // A symbolic link stays one: what it points to is replaced.
    let target = exists ? resolved(path) : path
    let mask = umask(0)
    umask(mask)
    let permissions = exists ? status.st_mode & 0o777 : 0o666 & ~mask
    let folder = target.removingLastComponent()
    let name = ".cordon.XXXXXX"
    var template = (folder.isEmpty ? FilePath(name) : folder.appending(name)).platformString
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    do throws(Errno) {
      try Errno.typed {
        let file = FileDescriptor(rawValue: descriptor)
        try file.closeAfter {
          try file.writeAll(bytes)
          guard fchmod(descriptor, permissions) == 0 else { throw Errno(rawValue: errno) }
        }
      }
      guard target.withPlatformString({ rename(template, $0) }) == 0 else { throw Errno(rawValue: errno) }
    } catch {
      unlink(template)
      throw error
    }
  }

  private static func write(_ bytes: [UInt8], to path: FilePath) throws(Errno) {
    try Errno.typed {
      let file = try FileDescriptor.open(path, .writeOnly)
      try file.closeAfter { _ = try file.writeAll(bytes) }
    }
  }

  private static func resolved(_ path: FilePath) -> FilePath {
    guard let name = path.withPlatformString({ realpath($0, nil) }) else { return path }
    defer { free(name) }
    return FilePath(platformString: name)
  }
}

extension FilePath {
  /// The name's bytes and a 0.
  package var platformString: [CChar] {
    withPlatformString { Array(UnsafeBufferPointer(start: $0, count: length + 1)) }
  }
}
