import Cordon
import SystemPackage
import TrapEngine

/// Facts about syscall user dispatch.
enum DispatchFacts {
  static func all() -> [Fact] {
    [
      fact("dispatch.exclusive", "one allowed range, with or without a selector", .sudSelector),
      fact("dispatch.inclusive", "one trapped range", .sudInclusive),
    ]
  }

  private static func fact(_ name: String, _ title: String, _ mechanism: Mechanism) -> Fact {
    // The question is asked from Cordon's own pages, which have to be there.
    let prepared = cordon_engine_prepare()
    let reason =
      prepared == 0
      ? mechanism.unavailability() : "Cordon's own pages cannot be mapped: \(Errno(rawValue: Int32(-prepared)))"
    return .check(
      name, title, since: mechanism.sinceKernel, reason: reason,
      remedy: "use Linux \(mechanism.sinceKernel) or later, or the mechanism seccomp, which does the same")
  }
}
