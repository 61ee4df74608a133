import ArgumentParser
import FoundationEssentials
import Glibc
import SystemPackage

extension LiveJob: ExpressibleByArgument {}

/// One job of ``LiveBars``, in a process of its own; what it found is JSON on standard output.
struct LiveMeasurement: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "live-job", abstract: "Measures one job of the live figures and prints what was found as JSON.",
    shouldDisplay: false)

  @Argument(help: "The job.")
  var job: LiveJob

  func run() throws {
    alarm(LiveJob.limit)
    do {
      let values = try job.run()
      _ = try FileDescriptor.standardOutput.writeAll(try JSONEncoder().encode(values))
    } catch {
      CordonBench.complain("\(error)")
      throw ExitCode(EX_SOFTWARE)
    }
  }
}
