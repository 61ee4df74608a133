import FoundationEssentials

/// What each mechanism does and does not do on this machine, found by probing.
package struct Conformance: Sendable, Hashable, Codable {
  /// By mechanism and capability, by name.
  package private(set) var findings: [String: [String: Finding]] = [:]

  package init() {}

  package subscript(mechanism: String, capability: Capability) -> Finding? {
    get { findings[mechanism]?[capability.rawValue] }
    set { findings[mechanism, default: [:]][capability.rawValue] = newValue }
  }

  /// Has each capability of these mechanisms probed in a process of its own.
  /// - Parameters:
  ///   - arguments: What comes before the names of the mechanism and the capability.
  ///   - shouldStop: Asked before each probe.
  package static func probe(
    _ mechanisms: [String], with launcher: ChildLauncher, _ arguments: [String], shouldStop: () -> Bool = { false }
  ) async -> Conformance {
    var conformance = Conformance()
    // What runs whole programs only has no guest to be probed with.
    let probed = Roster.mechanisms.filter { $0.takesGuests || $0.takesManyRegions }.map(\.name)
    for mechanism in mechanisms where probed.contains(mechanism) {
      for capability in Capability.allCases {
        if shouldStop() { return conformance }
        let outcome = await launcher.run(arguments + [mechanism, capability.rawValue])
        conformance[mechanism, capability] = Self.finding(outcome, limit: launcher.limit)
      }
    }
    return conformance
  }

  private static func finding(_ outcome: ChildLauncher.Outcome, limit: Duration) -> Finding {
    switch outcome {
    case .output(let bytes):
      (try? JSONDecoder().decode(Finding.self, from: Data(bytes)))
        ?? .broken("its process gave no answer that makes sense")
    case .failed(let reason): .broken(reason)
    case .tookTooLong: .broken("its process took longer than \(limit) and was killed")
    }
  }

  /// Why no figure of a mechanism would mean anything; nil where it does what all must.
  package func obstacle(to mechanism: String) -> String? {
    for capability in Capability.allCases {
      guard let finding = self[mechanism, capability] else { continue }
      if case .broken(let detail) = finding { return "probing '\(capability.question)': \(detail)" }
      if capability == .nativePasses, case .no(let detail) = finding {
        return "native calls are not left alone: \(detail)"
      }
    }
    return nil
  }

  /// A table of words for a terminal, with what more there is to say below it.
  package func lines(width: Int) -> [String] {
    let mechanisms = Roster.mechanisms.map(\.name).filter { findings[$0] != nil }
    guard !mechanisms.isEmpty else { return [] }
    var table = TextTable([.left] + Capability.allCases.map { _ in .left })
    table.add(["CONFORMANCE"] + Capability.allCases.map(\.rawValue))
    var notes: [String] = []
    for mechanism in mechanisms {
      let cells = Capability.allCases.map { capability -> String in
        guard let finding = self[mechanism, capability] else { return "" }
        switch finding {
        case .partly(let detail), .broken(let detail): notes.append("\(mechanism), \(capability.rawValue): \(detail)")
        case .yes, .no: break
        // The rows of figures say why.
        case .unavailable: return "-"
        }
        return finding.word
      }
      table.add([mechanism] + cells)
    }
    let questions = Capability.allCases.map { "\($0.rawValue): \($0.question)" }.joined(separator: "; ")
    return table.lines() + TextWrap.lines(questions + ".", width: width)
      + notes.flatMap { TextWrap.lines($0, width: width, indent: 2) }
  }
}
