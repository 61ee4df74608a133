import SystemPackage

/// Where messages and progress go, so that results can be piped on.
enum StandardError {
  /// Writes a line. Where nobody can read it there is nobody to tell.
  static func write(_ line: String) {
    _ = try? FileDescriptor.standardError.writeAll((line + "\n").utf8)
  }
}
