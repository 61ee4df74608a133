import Cordon

/// Everything that the comparator can measure, in the order in which it is shown.
package enum Roster {
  /// The baseline of the ratios.
  package static let baseline = "none"
  /// The in-kernel alternative that the ratios refer to.
  package static let alternative = Mechanism.sudSelector.rawValue

  package static let mechanisms: [any MeasuredMechanism] = [
    NativeMechanism(),
    SessionMechanism(.seccomp, "a generated seccomp filter", launching: run + ["--all"]),
    SessionMechanism(
      .sudExclusive, "syscall user dispatch, one allowed range", launching: run + ["--all", "--mechanism", "sud"]),
    SessionMechanism(.sudSelector, "syscall user dispatch, selector byte flipped to cross"),
    SessionMechanism(.sudInclusive, "syscall user dispatch, one trapped range"),
    NumberFilterMechanism(),
    LinearFilterMechanism(),
    supervised(.notification, "a supervisor is told of the guest's calls (seccomp_unotify)"),
    supervised(.traceEvents, "a tracer stops at the guest's calls (SECCOMP_RET_TRACE)"),
    supervised(.emulation, "a tracer answers every call of the thread (PTRACE_SYSEMU)"),
    supervised(.systemCalls, "a tracer stops at each call's entry and exit (PTRACE_SYSCALL)"),
    StraceMechanism(),
  ]

  /// The launcher is this same program.
  private static let run = ["/proc/self/exe", "run"]

  /// The supervisor is this same program, with a verb that is not for people.
  private static func supervised(_ kind: SupervisionKind, _ summary: String) -> SupervisedMechanism {
    SupervisedMechanism(kind, summary, supervisor: ["/proc/self/exe", "compare", "supervise"])
  }

  package static let workloads: [any Workload] =
    [
      SysinfoWorkload(), GetppidWorkload(), ReadWorkload(),
      RegionsWorkload(1), RegionsWorkload(8), RegionsWorkload(64), RegionsWorkload(512), RegionsWorkload(1024),
      RegionsWorkload(2048),
      TrapWorkload(.value), TrapWorkload(.error), TrapWorkload(.pass), TrapWorkload(.redirect),
      CrossingWorkload(1), CrossingWorkload(4), CrossingWorkload(16), CrossingWorkload(64),
      ThreadsWorkload(1), ThreadsWorkload(2), ThreadsWorkload(4), ThreadsWorkload(8),
      ChangesWorkload(0), ChangesWorkload(1), ChangesWorkload(10), ChangesWorkload(100), ChangesWorkload(1_000),
      ChangeWorkload(), StormWorkload(), SpawnWorkload(), ActivationWorkload(), HarnessWorkload(),
    ] + RealProgram.all.map(ProgramWorkload.init)

  /// In one of how many rounds a combination is measured.
  package static func period(of combination: Combination) -> Int {
    workloads.first { $0.name == combination.workload }?.period ?? 1
  }

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
