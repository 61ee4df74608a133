import FoundationEssentials

/// What each mechanism does and does not do on this machine, found by probing.
package struct Conformance: Sendable, Hashable, Codable {
  /// By mechanism and trait, by name.
  package private(set) var findings: [String: [String: Finding]] = [:]

  package init() {}

  package subscript(mechanism: String, trait: Trait) -> Finding? {
    get { findings[mechanism]?[trait.rawValue] }
    set { findings[mechanism, default: [:]][trait.rawValue] = newValue }
  }

  /// Has each trait of these mechanisms probed in a process of its own.
  /// - Parameters:
  ///   - arguments: What comes before the names of the mechanism and the trait.
  ///   - shouldStop: Asked before each probe.
  package static func probe(
    _ mechanisms: [String], with launcher: ChildLauncher, _ arguments: [String], shouldStop: () -> Bool = { false }
  ) async -> Conformance {
    var conformance = Conformance()
    for mechanism in mechanisms {
      for trait in Trait.allCases {
        if shouldStop() { return conformance }
        let outcome = await launcher.run(arguments + [mechanism, trait.rawValue])
        conformance[mechanism, trait] = Self.finding(outcome, limit: launcher.limit)
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
    for trait in Trait.allCases {
      guard let finding = self[mechanism, trait] else { continue }
      if case .broken(let detail) = finding { return "probing '\(trait.question)': \(detail)" }
      if trait == .nativePasses, case .no(let detail) = finding { return "native calls are not left alone: \(detail)" }
    }
    return nil
  }

  /// A table of words for a terminal, with what more there is to say below it.
  package func lines(width: Int) -> [String] {
    let mechanisms = Roster.mechanisms.map(\.name).filter { findings[$0] != nil }
    guard !mechanisms.isEmpty else { return [] }
    var table = TextTable([.left] + Trait.allCases.map { _ in .left })
    table.add(["CONFORMANCE"] + Trait.allCases.map(\.rawValue))
    var notes: [String] = []
    for mechanism in mechanisms {
      let cells = Trait.allCases.map { trait -> String in
        guard let finding = self[mechanism, trait] else { return "" }
        guard case .partly(let detail) = finding else {
          if case .broken(let detail) = finding { notes.append("\(mechanism), \(trait.rawValue): \(detail)") }
          return finding.word
        }
        notes.append("\(mechanism), \(trait.rawValue): \(detail)")
        return finding.word
      }
      table.add([mechanism] + cells)
    }
    let questions = Trait.allCases.map { "\($0.rawValue): \($0.question)" }.joined(separator: "; ")
    return table.lines() + TextWrap.lines(questions + ".", width: width)
      + notes.flatMap { TextWrap.lines($0, width: width, indent: 2) }
  }
}
