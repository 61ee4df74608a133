import Glibc

/// Who started whom.
enum ProcessAncestry {
  /// Whether `ancestor` is `process` or an ancestor of it, as far as /proc tells.
  static func isOf(_ process: Int32, ancestor: Int32) -> Bool {
    var process = process
    // Process numbers may be reused while they are looked at; no chain is that long.
    for _ in 0..<1000 where process > 1 {
      if process == ancestor { return true }
      guard let parent = StatusFile.field("PPid", of: process).flatMap({ Int32($0) }) else { return false }
      process = parent
    }
    return false
  }
}
