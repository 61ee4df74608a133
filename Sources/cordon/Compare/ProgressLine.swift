import CordonComparator
import Glibc
import SystemPackage

/// What is going on, in one line of standard error that is written over and over; nothing where that is no terminal.
struct ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = ContinuousClock.now
  private var shown = 0

  mutating func show(_ progress: Comparison.Progress) {
    guard isTerminal else { return }
    var text =
      "round \(progress.round) of \(progress.rounds): \(progress.combination.mechanism) "
      + "\(progress.combination.workload)"
    let elapsed = ContinuousClock.now - start
    // The first round says how long all of them take.
    if progress.round > 1, progress.fraction > 0 {
      let left = elapsed * ((1 - progress.fraction) / progress.fraction)
      text += ", about \(Figure.decimal(left / .seconds(1), digits: 0)) s left"
    }
    write(text)
  }

  mutating func show(_ text: String) {
    if isTerminal { write(text) }
  }

  /// Takes the line away.
  mutating func clear() {
    guard isTerminal, shown > 0 else { return }
    write("")
    put("\r")
  }

  private mutating func write(_ text: String) {
    var size = winsize()
    let columns = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1 ? Int(size.ws_col) - 1 : 79
    let line = text.prefix(columns)
    // Blanks instead of an escape sequence, so that it works on any terminal.
    put("\r" + line + String(repeating: " ", count: max(0, shown - line.count)))
    shown = line.count
  }

  /// Progress that cannot be shown is no reason to stop.
  private func put(_ text: String) { _ = try? FileDescriptor.standardError.writeAll(text.utf8) }
}
