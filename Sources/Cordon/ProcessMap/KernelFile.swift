internal import Glibc
package import SystemPackage

/// Small files by which the kernel tells about itself and about processes (/proc, /sys).
package enum KernelFile {
  /// The whole content.
  /// - Throws: What open(2) or read(2) failed with.
  package static func content(_ path: String) throws(Errno) -> String {
    String(decoding: try bytes(path), as: UTF8.self)
  }

  /// The same of a file that is no text.
  package static func bytes(_ path: String) throws(Errno) -> [UInt8] {
    try Errno.typed {
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
      return try file.closeAfter {
        var bytes: [UInt8] = []
        // The kernel makes up such files as they are read: their size is not known before.
        var buffer = [UInt8](repeating: 0, count: 16384)
        while case let count = try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
          bytes += buffer[..<count]
        }
        return bytes
      }
    }
  }

  /// The whole content; nil where it cannot be read.
  package static func text(_ path: String) -> String? { try? content(path) }

  /// The first line, without its end.
  package static func line(_ path: String) -> String? {
    text(path).map { $0.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? "" }
  }

  /// The value of a `Name:\tvalue` line.
  package static func field(_ name: String, of path: String) -> String? {
    text(path)?.split(separator: "\n").first { $0.hasPrefix("\(name):") }.map { line in
      String(line.dropFirst(name.utf8.count + 1).drop { $0 == "\t" || $0 == " " })
    }
  }

  /// The names in a folder but for `.` and `..`, in the order that the kernel has them; none where it cannot be read.
  package static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Whether there is a file that this process may execute.
  package static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }
}
