import Glibc

/// Words at the end of this process's command line, byte for byte as they were given: they need not be texts.
struct CommandWords {
  let words: UnsafeBufferPointer<UnsafeMutablePointer<CChar>?>

  /// All of them, without the name of the process.
  init() { self.init(last: Int(CommandLine.argc) - 1) }

  /// The last `count`, or all where there are not so many.
  init(last count: Int) {
    let all = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    words = UnsafeBufferPointer(rebasing: all.dropFirst().suffix(max(count, 0)))
  }

  private init(_ words: Slice<UnsafeBufferPointer<UnsafeMutablePointer<CChar>?>>) {
    self.words = UnsafeBufferPointer(rebasing: words)
  }

  /// The first as a text; nil where there is none.
  var first: String? { words.first.flatMap { $0 }.map { String(cString: $0) } }

  var rest: CommandWords { CommandWords(words.dropFirst()) }

  var texts: [String] { words.compactMap { $0.map { String(cString: $0) } } }
}
