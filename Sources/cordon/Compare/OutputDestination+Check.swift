import Glibc
import SystemPackage

extension OutputDestination {
  /// Finds out whether a result can be written, before the work that makes it; leaves nothing behind.
  func checkWritable() throws(CommandFailure) {
    guard case .file(let name, let ending) = self else { return }
    let place = ArgumentPath.words(name) + ending
    let path: FilePath
    do { path = try ArgumentPath.path(name, ending: ending) } catch {
      throw .badInput(place, "cannot be written: \(error)")
    }
    if let problem = OutputDestination.problem(with: path) {
      throw .badInput(place, "cannot be written: \(problem)")
    }
  }

  private static func problem(with path: FilePath) -> Errno? {
    var status = stat()
    if path.withPlatformString({ stat($0, &status) }) == 0 {
      guard path.withPlatformString({ access($0, W_OK) }) == 0 else { return Errno(rawValue: errno) }
      if status.st_mode & S_IFMT == S_IFDIR { return .isDirectory }
      if status.st_mode & S_IFMT != S_IFREG { return nil }
    }
    // A new file is made beside it, or beside what a link points to. Whether that is possible is best found out by
    // doing it: permissions do not tell of file systems that are read-only, or none.
    let name = path.withPlatformString { realpath($0, nil) }
    defer { free(name) }
    let folder = (name.map { FilePath(platformString: $0) } ?? path).removingLastComponent()
    var template = (folder.isEmpty ? FilePath(".cordon.XXXXXX") : folder.appending(".cordon.XXXXXX")).platformString
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { return Errno(rawValue: errno) }
    close(descriptor)
    unlink(template)
    return nil
  }
}
