import Cordon

/// How calls are trapped in a program that is run.
package enum TrapMechanism: String, CaseIterable, Sendable {
  /// By a filter, which is inherited by whatever the program makes and executes.
  case seccomp
  /// By syscall user dispatch, which every agent switches on, and the engine in every thread and child that is made by
  /// trapped code; all code traps, and the agent sorts it out.
  case dispatch = "sud"

  /// Why this machine has it not; nil where it has.
  package var unavailability: String? {
    switch self {
    case .seccomp: nil  // the kernel says so when the filter is attached
    case .dispatch: Mechanism.sudExclusive.unavailability()
    }
  }
}
