import Glibc
import SystemPackage

/// A real program is run from start to end, natively or with all its calls trapped and let through. An operation is a run.
package struct ProgramWorkload: Workload {
  package let program: RealProgram

  package init(_ program: RealProgram) { self.program = program }

  package static let prefix = "run-"
  package var name: String { Self.prefix + program.name }
  package var summary: String { "\(program.name) \(program.summary)" }
  /// A run takes as long as some hundred samples of a call.
  package var period: Int { 4 }

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool {
    mechanism.command(running: [program.name]) != nil
  }

  package func measure(
    under mechanism: any MeasuredMechanism, _ conditions: Conditions
  ) throws(MeasurementError) -> Measurement {
    guard let executable = program.executable else { throw .unavailable("\(program.name) is not installed") }
    guard let folder = conditions.material else { throw .failed("there is nothing for it to work on") }
    guard chdir(folder) == 0 else { throw .failed("the folder for it to work in is gone: \(Errno(rawValue: errno))") }
    let native = [executable] + program.arguments
    guard let command = mechanism.command(running: native) else { throw .failed("it runs no programs") }
    // What it needs is in memory then, and what it says is known.
    let expected = try ProgramRun(native)
    guard expected.status == 0 else { throw .unavailable("\(program.name) fails here: \(Self.words(expected))") }
    var samples: [UInt64] = []
    var total: Int64 = 0
    repeat {
      let run = try ProgramRun(command)
      guard run.status == 0 else { throw Self.error(run, mechanism) }
      guard run.output == expected.output else { throw .failed("\(program.name) says something else than natively") }
      samples.append(UInt64(run.elapsed) * 1_000)
      total += run.elapsed
    } while total < conditions.sampling.duration
    return Measurement(operationsPerSample: 1, picoseconds: samples)
  }

  /// What to make of a run that failed, where the program by itself does not.
  private static func error(_ run: ProgramRun, _ mechanism: any MeasuredMechanism) -> MeasurementError {
    // What `cordon run` exits with where this machine cannot do it, and a shell where there is no such program.
    switch run.status >> 8 & 0xff {
    case 69, 127: .unavailable(words(run))
    default: mechanism.hasSessions ? .failed(words(run)) : .unavailable(words(run))
    }
  }

  private static func words(_ run: ProgramRun) -> String {
    let said = String(decoding: run.output, as: UTF8.self).split(separator: "\n").last.map { ": \($0)" } ?? ""
    return run.status & 0x7f == 0 ? "status \(run.status >> 8 & 0xff)\(said)" : "signal \(run.status & 0x7f)\(said)"
  }
}
