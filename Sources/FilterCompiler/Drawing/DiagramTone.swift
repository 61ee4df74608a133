/// The colours of an answer: one for each disposition, dark text on pale ground or the other way round.
enum DiagramTone: String, CaseIterable {
  case allow, log, notify, trace, errno, trap, kill

  /// What the reader's screen looks like.
  enum Scheme { case light, dark }

  /// The tone of an action; what the kernel does not know kills, and what is not known may.
  init(_ action: Action?) {
    self =
      switch action?.kind {
      case .allow: .allow
      case .log: .log
      case .notify: .notify
      case .trace: .trace
      case .errno: .errno
      case .trap: .trap
      case .killProcess, .killThread, nil: .kill
      }
  }

  func fill(_ scheme: Scheme) -> String { scheme == .light ? colours.pale : colours.deep }

  func text(_ scheme: Scheme) -> String { scheme == .light ? colours.deep : colours.pale }

  func line(_: Scheme) -> String { colours.line }

  private var colours: (pale: String, line: String, deep: String) {
    switch self {
    case .allow: ("#dcf5e3", "#3f9b5d", "#0f4a24")
    case .log: ("#d8f3f1", "#2f9a93", "#0b4642")
    case .notify: ("#dcebfd", "#4a86cf", "#123e73")
    case .trace: ("#ece2fb", "#8a63cc", "#42207a")
    case .errno: ("#fdf2cc", "#b8912a", "#5a4203")
    case .trap: ("#fde4cf", "#d07a2d", "#6b3306")
    case .kill: ("#fbdcdc", "#cc4b4b", "#6e1414")
    }
  }
}
