import CordonComparator

/// All facts, in groups, and what follows from them.
struct Diagnosis: Sendable {
  struct Group: Sendable {
    let title: String
    let facts: [Fact]
  }

  let groups: [Group]

  /// Asks the running system. Nothing about this process changes for good.
  static func current() -> Diagnosis {
    let process = ProcessStatus.current()
    let host = Host.current()
    return Diagnosis(groups: [
      Group(title: "MACHINE", facts: HostFacts.all(host)),
      Group(title: "SECCOMP", facts: SeccompFacts.all(kernel: host.kernel)),
      Group(title: "FILTERS THAT HAND CALLS TO ANOTHER PROCESS", facts: ListenerFacts.all()),
      Group(title: "SYSCALL USER DISPATCH", facts: DispatchFacts.all()),
      Group(title: "TRACING", facts: TraceFacts.all()),
      Group(title: "THIS PROCESS AND USER", facts: ProcessFacts.all(process) + MemoryFacts.all() + CodeFacts.all()),
      Group(title: "LIBRARIES AND PROGRAMS", facts: LibraryFacts.all() + ProgramFacts.all()),
    ])
  }

  var facts: [Fact] { groups.flatMap(\.facts) }

  /// Whether filters can be loaded and can trap.
  var canFilter: Bool {
    [SeccompFacts.filterName, SeccompFacts.trapName].allSatisfy { name in
      facts.contains { $0.name == name && $0.answer == .yes }
    }
  }

  /// One line a fact, each ended by a newline.
  func text() -> String {
    var table = TextTable([.left, .left, .left])
    for group in groups {
      if group.title != groups.first?.title { table.addBlank() }
      table.addOpen([group.title])
      for fact in group.facts {
        if let answer = fact.answer {
          table.addOpen(["  \(fact.title)", answer == .unknown ? "?" : answer.rawValue, fact.detail])
        } else {
          table.addOpen(["  \(fact.title)", "", fact.detail])
        }
      }
    }
    return table.lines().map { $0 + "\n" }.joined()
  }
}
