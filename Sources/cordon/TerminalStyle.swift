import FilterCompiler
import Glibc
import SystemPackage

/// Colour, for a terminal whose user has not asked for none (https://no-color.org).
struct TerminalStyle {
  private let isColoured: Bool

  /// No colour.
  static let plain = TerminalStyle(isColoured: false)

  private init(isColoured: Bool) { self.isColoured = isColoured }

  /// The style for what is written to `descriptor`.
  init(for descriptor: FileDescriptor) {
    func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
    isColoured =
      isatty(descriptor.rawValue) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
  }

  /// A listing's line, with the comment faint and the answer in its colour.
  func text(_ line: Disassembler.Line) -> String {
    guard isColoured else { return "\(line)" }
    if let action = line.answer { return text("\(line)", as: action) }
    guard let comment = line.comment else { return "\(line)" }
    return "\(line)".dropLast(comment.count) + "\u{1b}[2m\(comment)\u{1b}[0m"
  }

  /// Text in the colour of an action: green where the call happens, yellow where something else answers, red where
  /// it kills.
  func text(_ text: String, as action: Action) -> String {
    guard isColoured else { return text }
    let colour =
      switch action.kind {
      case .allow, .log: 32
      case .trap, .errno, .notify, .trace: 33
      case .killProcess, .killThread, nil: 31
      }
    return "\u{1b}[\(colour)m\(text)\u{1b}[0m"
  }
}
