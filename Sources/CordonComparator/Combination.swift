/// One mechanism with one workload, by name: what a row of the results is about.
package struct Combination: Hashable, Sendable {
  package var mechanism: String
  package var workload: String
  package var parameter: [String: Int]

  package init(mechanism: String, workload: String, parameter: [String: Int] = [:]) {
    self.mechanism = mechanism
    self.workload = workload
    self.parameter = parameter
  }

  /// Whether an operation is the run of a whole program.
  package var isProgram: Bool { workload.hasPrefix(ProgramWorkload.prefix) }

  /// The same work under another mechanism.
  package func under(_ mechanism: String) -> Combination {
    Combination(mechanism: mechanism, workload: workload, parameter: parameter)
  }
}
