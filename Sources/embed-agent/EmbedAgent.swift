import Glibc

/// Writes the agent's image, taken out of its ELF file, into a Swift source: `embed-agent AGENT SOURCE`.
///
/// Its bytes stand in words of 8: a literal of words lies in an optimised `cordon` as the processor has them, ready to be
/// written, and an installed one needs no second file beside it.
@main
enum EmbedAgent {
  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else { fail("embed-agent: expected AGENT SOURCE") }
    guard let file = contents(of: arguments[1]) else { fail("embed-agent: \(arguments[1]) cannot be read") }
    guard let image = image(in: file) else { fail("embed-agent: \(arguments[1]) is not an agent") }
    let words = stride(from: 0, to: image.count, by: 8).map { start in
      image[start..<min(start + 8, image.count)].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    }
    let source = """
      /// The agent's image in words, the first byte of each the lowest. Made by embed-agent.
      enum EmbeddedAgent {
        static let words: [UInt64] = [
          \(words.map { "0x" + String($0, radix: 16) }.joined(separator: ", "))
        ]
      }

      """
    guard write(source, to: arguments[2]) else { fail("embed-agent: \(arguments[2]) cannot be written") }
  }

  /// The bytes of the executable segment, which starts at the address 0.
  private static func image(in file: [UInt8]) -> [UInt8]? {
    func number(_ offset: Int, _ size: Int) -> Int {
      guard offset >= 0, offset + size <= file.count else { return 0 }
      return file[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    guard file.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else { return nil }
    let (headers, size, count) = (number(32, 8), number(54, 2), number(56, 2))
    for header in (0..<count).map({ headers + $0 * size }) {
      let isExecutable = number(header, 4) == 1 && number(header + 4, 4) & 1 != 0
      guard isExecutable, number(header + 16, 8) == 0 else { continue }
      let (start, length) = (number(header + 8, 8), number(header + 32, 8))
      guard start + length <= file.count else { return nil }
      return Array(file[start..<start + length])
    }
    return nil
  }

  private static func contents(of path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count >= 0 else { return nil }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }

  private static func write(_ text: String, to path: String) -> Bool {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var left = Array(text.utf8)[...]
    while !left.isEmpty {
      let count = left.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return false }
      left = left.dropFirst(count)
    }
    return true
  }

  private static func fail(_ message: String) -> Never {
    var line = message + "\n"
    line.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    exit(1)
  }
}
