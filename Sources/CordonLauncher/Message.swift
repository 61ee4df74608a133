import Glibc

/// Messages of the launcher, on standard error, each in one write so that no line is torn.
enum Message {
  static func say(_ text: String) {
    var line = "cordon: run: \(text)\n"
    line.withUTF8 { bytes in _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }
}
