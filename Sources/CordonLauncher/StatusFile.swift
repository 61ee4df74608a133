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

  /// All of a file; nil where it cannot be read.
  static func wholeText(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while case let count = read(file, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
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
