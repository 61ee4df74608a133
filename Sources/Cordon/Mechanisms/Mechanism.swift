/// A way of trapping calls by the code that issued them. A session is written once; this is the one place where it says
/// which of them carries it.
public enum Mechanism: String, CaseIterable, Sendable, Hashable {
  /// Each way there is; ``automatic`` is none of its own.
  public static let allCases: [Mechanism] = [.seccomp, .sudExclusive, .sudSelector, .sudInclusive]

  /// A generated seccomp filter (Linux 3.5; all threads at once: 3.17). Any number of regions; inherited by threads,
  /// children and exec; cannot be taken off.
  case seccomp
  /// Syscall user dispatch with one allowed range and no selector (Linux 5.11): the largest interval without a trapped
  /// region around Cordon's gate. What calls from native code outside it costs a trap that is passed through.
  case sudExclusive = "sud-exclusive"
  /// Syscall user dispatch with a selector byte (Linux 5.11). Everything traps, and is sorted out in the handler, while
  /// the byte blocks; a thread that knows it runs native code sets it to allow (``Session/withSelectorAllowing(_:)``).
  case sudSelector = "sud-selector"
  /// Syscall user dispatch of one range (Linux 6.17): the hull of the trapped regions. What lies between them traps too
  /// and is passed through.
  case sudInclusive = "sud-inclusive"
  /// Whichever serves the session's regions best on this kernel, chosen at activation (``Session/choice`` says which, and
  /// why): dispatch of one range where all that traps lies in the session's own block of addresses, else a filter. It
  /// goes over to a filter when a later region makes that necessary.
  case automatic

  /// Whether the kernel clears it in every new thread and child.
  package var isPerThread: Bool { self != .seccomp && self != .automatic }

  /// The first kernel release that has it.
  public var sinceKernel: String {
    switch self {
    case .seccomp, .automatic: "3.5"
    case .sudExclusive, .sudSelector: "5.11"
    case .sudInclusive: "6.17"
    }
  }
}
