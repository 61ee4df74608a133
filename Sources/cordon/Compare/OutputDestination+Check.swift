import Glibc
import SystemPackage

extension OutputDestination {
  /// Finds out whether a result can be written, before the work that makes it; leaves nothing behind.
  func checkWritable() throws(CommandFailure) {
    guard case .file(let name) = self else { return }
    if let problem = OutputDestination.problem(with: FilePath(name)) {
      throw .badInput(name, "cannot be written: \(problem)")
    }
  }

  private static func problem(with path: FilePath) -> Errno? {
    var status = stat()
    if stat(path.string, &status) == 0 {
      guard access(path.string, W_OK) == 0 else { return Errno(rawValue: errno) }
      if status.st_mode & S_IFMT == S_IFDIR { return .isDirectory }
      if status.st_mode & S_IFMT != S_IFREG { return nil }
    }
    // A new file is made beside it, or beside what a link points to. Whether that is possible is best found out by
    // doing it: permissions do not tell of file systems that are read-only, or none.
    let name = realpath(path.string, nil)
    defer { free(name) }
    let folder = (name.map { FilePath(String(cString: $0)) } ?? path).removingLastComponent()
    var template = Array((folder.isEmpty ? "." : folder.string).utf8CString.dropLast()) + "/.cordon.XXXXXX".utf8CString
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { return Errno(rawValue: errno) }
    close(descriptor)
    unlink(template)
    return nil
  }
}
