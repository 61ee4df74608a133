import CordonShims
import SystemPackage
import TrapEngine

extension Mechanism {
  /// Why this kernel or process cannot use the mechanism; nil where it can. Asks the kernel and changes nothing that
  /// lasts.
  package func unavailability() -> String? {
    // Asking would disarm the calling thread; a session that is active has asked before.
    if isPerThread, cordon_engine_is_installed() != 0 { return nil }
    // The kernel is asked from the gate.
    let prepared = cordon_engine_prepare()
    guard prepared == 0 else { return "memory for Cordon's own code: \(Errno(rawValue: Int32(-prepared)))" }
    let result: Int
    switch self {
    case .seccomp, .automatic: result = cordon_seccomp_probe(0)
    case .sudExclusive, .sudSelector: result = cordon_dispatch_probe(1)
    case .sudInclusive: result = cordon_dispatch_probe(2)
    }
    switch Errno(rawValue: Int32(-result)) {
    case _ where result == 0: return nil
    case .invalidArgument, .noFunction:
      return self == .seccomp
        ? "this kernel is built without seccomp filters"
        : "this kernel does not know \(self == .sudInclusive ? "inclusive " : "")syscall user dispatch"
    case let errno: return "the kernel answers \(errno), so a filter around this process may forbid it"
    }
  }
}
