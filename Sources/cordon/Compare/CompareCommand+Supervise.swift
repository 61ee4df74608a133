import ArgumentParser
import CordonComparator
import Glibc

extension CompareCommand {
  /// `cordon compare supervise`: the process that answers a measured process's calls from outside. Not for people: a
  /// measuring process starts it.
  struct Supervise: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "supervise", abstract: "Answers the calls of the process that started this.", shouldDisplay: false)

    @Argument var request: [String]

    func run() throws {
      guard let request = SupervisionRequest(arguments: request), request.process == getppid() else {
        throw CommandFailure.usage("compare supervise", "only a measurement starts it")
      }
      do {
        try Supervisor.run(request)
      } catch MeasurementError.unavailable {
        throw ExitCode(SupervisorExit.unavailable)
      }
    }
  }
}
