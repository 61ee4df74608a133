import Glibc

/// A file's bytes, as long as the value lives.
final class MappedFile {
  let bytes: UnsafeRawBufferPointer

  /// nil where the file cannot be read, or is empty.
  init?(path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0,
      let memory = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED
    else { return nil }
    bytes = UnsafeRawBufferPointer(start: memory, count: Int(status.st_size))
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

  /// A little-endian number of `size` bytes; 0 where the file does not reach that far.
  func number(_ offset: UInt64, _ size: Int) -> UInt64 {
    guard offset <= UInt64(bytes.count), size <= bytes.count - Int(offset) else { return 0 }
    return (0..<size).reversed().reduce(0) { $0 << 8 | UInt64(bytes[Int(offset) + $1]) }
  }

  /// The text that ends with a zero byte.
  func text(_ offset: UInt64) -> String {
    guard offset < UInt64(bytes.count) else { return "" }
    return String(decoding: bytes[Int(offset)...].prefix(512).prefix { $0 != 0 }, as: UTF8.self)
  }
}
