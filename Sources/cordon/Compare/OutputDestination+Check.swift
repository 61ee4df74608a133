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
    // A new file is made beside it: that is what must be possible.
    let folder = path.removingLastComponent()
    return access(folder.isEmpty ? "." : folder.string, W_OK | X_OK) == 0 ? nil : Errno(rawValue: errno)
  }
}
