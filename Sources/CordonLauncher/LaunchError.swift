/// Why a program could not be run.
package enum LaunchError: Error, Hashable, Sendable {
  /// What was named on the command line cannot be run.
  case program(String, problem: String, remedy: String?)
  /// This machine, or what the caller may do on it, lacks something.
  case machine(String, remedy: String?)
}
