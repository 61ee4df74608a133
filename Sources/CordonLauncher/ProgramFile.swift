import Glibc
import SystemPackage

/// The file of a program that was named on a command line, found as a shell finds it.
package struct ProgramFile: Hashable, Sendable {
  /// What is executed.
  package let path: String
  /// Whether that is the name itself.
  let isAsNamed: Bool

  /// Finds `name`: a path where it has a slash, else a file in one of the folders of `searchPath`.
  /// - Throws: ``LaunchError/program(_:problem:remedy:)`` where there is none that may be executed.
  package init(named name: String, searchPath: @autoclosure () -> String?) throws(LaunchError) {
    guard !name.isEmpty else { throw .program("''", problem: "no such program", remedy: nil) }
    if name.utf8.contains(UInt8(ascii: "/")) {
      if let problem = Self.problem(with: name) { throw Self.refusal(name, problem) }
      path = name
      isAsNamed = true
      try checkArchitecture()
      return
    }
    isAsNamed = false
    var refused: Errno?
    for folder in (searchPath() ?? "/bin:/usr/bin").split(separator: ":", omittingEmptySubsequences: false) {
      let candidate = folder.isEmpty ? "./" + name : folder + "/" + name
      guard let problem = Self.problem(with: candidate) else {
        path = candidate
        try checkArchitecture()
        return
      }
      if problem != .noSuchFileOrDirectory && problem != .notDirectory && refused == nil { refused = problem }
    }
    if let refused { throw Self.refusal(name, refused) }
    throw .program(
      name, problem: "no such program in the folders of PATH", remedy: "name a file in another folder by its path")
  }

  private static func problem(with path: String) -> Errno? {
    var status = stat()
    guard path.withCString({ stat($0, &status) }) == 0 else { return Errno(rawValue: errno) }
    if status.st_mode & S_IFMT == S_IFDIR { return .isDirectory }
    // execve(2) executes nothing else; and a FIFO that was opened would wait for somebody to write to it.
    guard status.st_mode & S_IFMT == S_IFREG else { return .permissionDenied }
    // As execve(2) asks it: with the effective ids.
    guard path.withCString({ faccessat(AT_FDCWD, $0, X_OK, AT_EACCESS) }) == 0 else { return Errno(rawValue: errno) }
    return nil
  }

  /// 32-bit programs run on this machine, but not with the agent.
  private func checkArchitecture() throws(LaunchError) {
    let start = Self.start(of: path)
    guard start.starts(with: [0x7f, 0x45, 0x4c, 0x46]), start.count > 19 else { return }
    let machine = Int(start[18]) | Int(start[19]) << 8
    if start[4] == 1, machine == 3 || machine == 62 {
      throw .program(path, problem: "is a 32-bit program", remedy: "cordon runs 64-bit programs (x86-64)")
    }
  }

  /// Why the kernel has refused to execute the file, which is there: often it is not the file that is at fault.
  func refusal(_ error: Errno) -> LaunchError {
    guard [.noSuchFileOrDirectory, .notDirectory, .permissionDenied].contains(error), let runner = Self.runner(of: path)
    else { return Self.refusal(path, error) }
    let problem = error == .permissionDenied ? "may not be executed" : "is not there"
    return .program(
      path, problem: "is run by \(runner), which \(problem)",
      remedy: "a script's first line says what runs it, and `readelf -l` what loads a dynamic program")
  }

  /// The program that is to run the file, by a script's first line or as an ELF file's interpreter; nil where it names none.
  private static func runner(of path: String) -> String? {
    guard let file = MappedFile(path: path) else { return nil }
    if file.bytes.starts(with: [0x23, 0x21]) {  // #!
      let line = String(decoding: file.bytes.dropFirst(2).prefix(254).prefix { $0 != 0x0a }, as: UTF8.self)
      return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first.map(String.init)
    }
    guard file.bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2]) else { return nil }
    let (start, size, count) = (file.number(32, 8), file.number(54, 2), file.number(56, 2))
    let headers = (0..<count).map { start &+ $0 &* size }
    return headers.first { file.number($0, 4) == 3 }.map { file.text(file.number($0 &+ 8, 8)) }
  }

  /// Whether the file might be a script: no zero byte at its start.
  var isText: Bool { !Self.start(of: path).contains(0) }

  private static func start(of path: String) -> ArraySlice<UInt8> {
    let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    return bytes[..<max(read(descriptor, &bytes, bytes.count), 0)]
  }

  static func refusal(_ name: String, _ error: Errno) -> LaunchError {
    switch error {
    case .noSuchFileOrDirectory, .notDirectory: .program(name, problem: "no such program", remedy: nil)
    case .isDirectory: .program(name, problem: "is a directory", remedy: nil)
    case .permissionDenied:
      .program(name, problem: "may not be executed", remedy: "its permissions, or its kind, forbid it: see `ls -l`")
    case .execFormatError:
      .program(
        name, problem: "is no program that this machine runs",
        remedy: "cordon runs x86-64 ELF programs, and scripts whose first line names one")
    default: .program(name, problem: "cannot be executed: \(error)", remedy: nil)
    }
  }
}
