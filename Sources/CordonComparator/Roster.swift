import Cordon

/// Everything that the comparator can measure, in the order in which it is shown.
package enum Roster {
  /// The baseline of the ratios.
  package static let baseline = "none"
  /// The in-kernel alternative that the ratios refer to.
  package static let alternative = Mechanism.sudSelector.rawValue

  package static let mechanisms: [any MeasuredMechanism] = [
    NativeMechanism(),
    SessionMechanism(.seccomp, "a generated seccomp filter"),
    SessionMechanism(.sudExclusive, "syscall user dispatch, one allowed range"),
    SessionMechanism(.sudSelector, "syscall user dispatch, selector byte flipped to cross"),
    SessionMechanism(.sudInclusive, "syscall user dispatch, one trapped range"),
  ]

  package static let workloads: [any Workload] = [
    SysinfoWorkload(), GetppidWorkload(), RegionsWorkload(1), RegionsWorkload(64), RegionsWorkload(1024),
    TrapValueWorkload(), TrapPassWorkload(), ActivationWorkload(),
  ]

  /// All combinations of these names that mean something, by workload; nil stands for all.
  package static func combinations(mechanisms: [String]? = nil, workloads: [String]? = nil) -> [Combination] {
    var combinations: [Combination] = []
    for workload in self.workloads where workloads?.contains(workload.name) ?? true {
      for mechanism in self.mechanisms where mechanisms?.contains(mechanism.name) ?? true {
        guard workload.isMeasured(under: mechanism) else { continue }
        combinations.append(
          Combination(mechanism: mechanism.name, workload: workload.name, parameter: workload.parameter))
      }
    }
    return combinations
  }
}
