import FilterCompiler

extension FuzzedFilter {
  /// The filter as a profile, so that what was found can be repeated on the command line.
  var profile: String {
    var lines = [
      "architecture: \(architecture)", "default: \(Self.words(outside))",
    ]
    if !code.isEmpty { lines.append("regions:") }
    for (place, disposition) in code {
      lines.append("  - {code: \(Self.range(place.start, place.end)), disposition: \(Self.words(disposition))}")
    }
    func list(_ key: String, _ values: [String]) {
      if !values.isEmpty { lines.append("\(key): [\(values.joined(separator: ", "))]") }
    }
    list("dont-care", empty.map { Self.range($0.start, $0.end) })
    if let checked = options.checkedArchitectures {
      list("checked-architectures", checked.map(\.description))
      lines.append("other-architectures: \(Self.words(options.otherArchitecture))")
    }
    list("allowed-calls", options.allowedNumbers.map(\.description))
    list("trapped-calls", options.globalTrapNumbers.map(\.description))
    if !options.globalTrapNumbers.isEmpty { lines.append("trapped-calls-data: \(options.trapData)") }
    if let gate = options.gate { lines.append("gate: \(gate)") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func range(_ start: UInt64, _ end: UInt64) -> String {
    "\(hexadecimal(start))-\(hexadecimal(end))"
  }

  private static func words(_ disposition: Disposition) -> String {
    switch disposition {
    case .killProcess: "kill"
    case .killThread: "kill-thread"
    case .trace(let data): "trace \(data)"
    default: disposition.description
    }
  }
}
