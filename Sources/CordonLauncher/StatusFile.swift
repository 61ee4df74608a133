import Glibc
import LauncherShims

/// Small text files of /proc.
enum StatusFile {
  /// A field of /proc/PROCESS/status, without white space; nil where the process is gone.
  static func field(_ name: String, of process: Int32) -> String? {
    text("/proc/\(process)/status")?.split(separator: "\n").first { $0.hasPrefix(name) }
      .map { $0.dropFirst(name.count).filter { $0 != "\t" && $0 != " " } }
  }

  /// The process that a thread is of; the thread's own number where it is the first one, or gone.
  static func process(of thread: Int32) -> Int32 {
    if cordon_is_first_thread(thread) != 0 { return thread }
    return field("Tgid:", of: thread).flatMap { Int32($0) } ?? thread
  }

  /// All of a file; nil where it cannot be opened, which errno says why.
  static func wholeText(_ path: String) -> String? { wholeFile(path).map { String(decoding: $0, as: UTF8.self) } }

  /// A value of a process's auxiliary vector, getauxval(3); nil where it has none of that kind, or it cannot be read.
  static func auxiliaryValue(_ kind: Int32, of process: Int32) -> UInt64? {
    guard let bytes = wholeFile("/proc/\(process)/auxv") else { return nil }
    let words = bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
    }
    return stride(from: 0, to: words.count - 1, by: 2).first { words[$0] == UInt64(kind) }.map { words[$0 + 1] }
  }

  private static func wholeFile(_ path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while case let count = read(file, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
    return bytes
  }

  /// The first 4 KiB of a file.
  static func text(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(file, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
