import Glibc
import SystemPackage

/// Small files by which the kernel tells about itself (/proc, /sys).
package enum KernelFile {
  /// The whole content; nil where it cannot be read.
  package static func text(_ path: String) -> String? {
    guard let file = try? FileDescriptor.open(FilePath(path), .readOnly) else { return nil }
    return try? file.closeAfter {
      var bytes: [UInt8] = []
      // The kernel makes up such files as they are read: their size is not known before.
      while true {
        let chunk = try [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
          count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        if chunk.isEmpty { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk
      }
    }
  }

  /// Whether there is a file that this process may execute.
  package static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

  /// The first line, without its end.
  package static func line(_ path: String) -> String? {
    text(path).map { $0.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? "" }
  }

  /// The value of a `Name:\tvalue` line.
  package static func field(_ name: String, of path: String) -> String? {
    text(path)?.split(separator: "\n").first { $0.hasPrefix("\(name):") }.map { line in
      String(line.dropFirst(name.count + 1).drop { $0 == "\t" || $0 == " " })
    }
  }

  /// The names in a directory, sorted; none where it cannot be read.
  package static func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
