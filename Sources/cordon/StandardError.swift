import SystemPackage

/// Where messages and progress go, so that results can be piped on.
enum StandardError {
  /// Writes a line. Where nobody can read it there is nobody to tell.
  static func write(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { bytes in
      // Not `writeAll`, whose type parameters are looked up while the program runs: that takes longer than the rest of it.
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty, let count = try? FileDescriptor.standardError.write(rest) {
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      }
    }
  }
}
