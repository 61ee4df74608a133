import CordonLauncher

extension RunInvocation {
  /// Reads the arguments behind `run` where they are as they should be; nil where anything is not, which the parser of all
  /// verbs explains, or asks for help.
  ///
  /// That parser takes longer to set itself up than the whole rest of a short run.
  init?(plain arguments: ArraySlice<String>) {
    var rest = arguments
    while let argument = rest.first {
      if argument == "--" || !argument.hasPrefix("-") { break }
      rest.removeFirst()
      switch argument {
      case "--all": all = true
      case "--stats": stats = true
      case "--trap", "--profile", "--mechanism", "--log", "--report":
        guard let value = rest.popFirst(), value == "-" || !value.hasPrefix("-"), take(value, for: argument) else {
          return nil
        }
      default: return nil
      }
    }
    guard !rest.isEmpty else { return nil }
    command = Array(rest)
  }

  private mutating func take(_ value: String, for option: String) -> Bool {
    switch option {
    case "--trap": trap.append(value)
    case "--profile": profile = value
    case "--log": log = value
    case "--report": report = value
    default:
      guard let named = TrapMechanism(rawValue: value) else { return false }
      mechanism = named
    }
    return true
  }
}
