/// What others published about the same question, on machines of their own, and what comes nearest to it here.
package struct PublishedFigure: Sendable, Hashable {
  package let subject: String
  package let published: String
  package let source: Source
  /// What of a comparison stands beside it; nil where nothing does.
  package let counterpart: Counterpart?

  package enum Source: String, CaseIterable, Sendable, Hashable {
    case proposal = "[1]"
    case patch = "[2]"
    case discussion = "[3]"

    package var title: String {
      switch self {
      case .proposal:
        "\"[PATCH RFC] seccomp: Implement syscall isolation based on memory areas\", linux-kernel, 30 May 2020"
      case .patch: "the syscall user dispatch patches, versions 3 and 7, linux-kernel, 2020"
      case .discussion: "later in the discussion of the same patches; another machine"
      }
    }
  }

  package enum Counterpart: Sendable, Hashable {
    /// The overhead over `none` in percent.
    case percent(mechanism: String, workload: String)
    /// The overhead over `none` in nanoseconds.
    case nanoseconds(mechanism: String, workload: String)
  }

  /// MEMMAP itself, which no kernel was released with.
  package static let proposed = PublishedFigure(
    subject: "sysinfo, MEMMAP: memory areas marked (never released)", published: "+1.5 %", source: .proposal,
    counterpart: nil)

  package static let all: [PublishedFigure] = [
    PublishedFigure(
      subject: "sysinfo, filter of 4 instructions on the number alone", published: "+10 %", source: .proposal,
      counterpart: .percent(mechanism: "seccomp", workload: "sysinfo")),
    proposed,
    PublishedFigure(
      subject: "untrapped call, selector byte", published: "+40 ns", source: .patch,
      counterpart: .nanoseconds(mechanism: "sud-selector", workload: "sysinfo")),
    PublishedFigure(
      subject: "untrapped call, selector byte, processor without SMAP", published: "< +5 ns", source: .patch,
      counterpart: nil),
    PublishedFigure(
      subject: "untrapped call from the allowed range", published: "+0 ns", source: .patch,
      counterpart: .nanoseconds(mechanism: "sud-exclusive", workload: "sysinfo")),
    PublishedFigure(
      subject: "one filter", published: "+32 %", source: .discussion,
      counterpart: .percent(mechanism: "seccomp", workload: "sysinfo")),
    PublishedFigure(
      subject: "syscall user dispatch", published: "+13.4 %", source: .discussion,
      counterpart: .percent(mechanism: "sud-selector", workload: "sysinfo")),
  ]
}

extension ComparisonResults {
  /// What was measured here beside a published figure.
  package func text(for counterpart: PublishedFigure.Counterpart) -> String? {
    switch counterpart {
    case .percent(let mechanism, let workload):
      guard let overhead = overhead(of: mechanism, on: workload),
        let baseline = series(Roster.baseline, workload)?.median, baseline > 0
      else { return nil }
      return "\(Figure.signed(overhead / baseline * 100, digits: 1)) % (\(mechanism), \(workload))"
    case .nanoseconds(let mechanism, let workload):
      return overhead(of: mechanism, on: workload).map {
        "\(Figure.signed($0, digits: 1)) ns (\(mechanism), \(workload))"
      }
    }
  }
}
