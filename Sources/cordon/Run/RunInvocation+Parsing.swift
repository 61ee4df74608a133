import CordonLauncher

extension RunInvocation {
  /// Reads `run` and its arguments where they are as they should be; nil where anything is not, which the parser of all verbs
  /// explains, or asks for help.
  ///
  /// That parser takes longer to set itself up than the whole rest of a short run.
  static func plain(in words: CommandWords) -> RunInvocation? {
    guard words.first == "run" else { return nil }
    var invocation = RunInvocation()
    var rest = words.rest
    while let argument = rest.first, argument != "--", argument.hasPrefix("-") {
      rest = rest.rest
      switch argument {
      case "--all": invocation.all = true
      case "--stats": invocation.stats = true
      case "--trap", "--profile", "--mechanism", "--log", "--report":
        guard let value = rest.first, value == "-" || !value.hasPrefix("-"), invocation.take(value, for: argument)
        else {
          return nil
        }
        rest = rest.rest
      default: return nil
      }
    }
    guard rest.first != nil else { return nil }
    invocation.command = rest
    return invocation
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
