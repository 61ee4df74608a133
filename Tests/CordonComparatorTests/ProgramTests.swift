import Cordon
import FilterCompiler
import Glibc
import SystemPackage
import Testing

@testable import CordonComparator

@Suite struct ProgramMaterialTests {
  @Test func `the folder has all that the programs need, and goes with its owner`() throws {
    let path: FilePath
    do {
      let material = try ProgramMaterial()
      path = material.path
      for name in [ProgramMaterial.tree, ProgramMaterial.inserts, ProgramMaterial.source, ProgramMaterial.goFiles] {
        #expect(access(path.appending(name).string, R_OK) == 0, "\(name)")
      }
      #expect(access(path.appending("tree/49/39").string, R_OK) == 0)
    }
    #expect(access(path.string, F_OK) == -1 && errno == ENOENT)
  }
}

/// In a process of their own: a measuring process goes to the folder that it measures in.
@Suite struct ProgramWorkloadTests {
  /// Runs another program than it is asked for.
  private struct Substitute: MeasuredMechanism {
    var name = "substitute"
    var summary = ""
    var command: [String]

    func enter(_ code: [UInt8], answer: GuestAnswer, scope: Session.Scope) throws(MeasurementError) -> Guest {
      throw .unavailable("it has no guest")
    }
    func command(running program: [String]) -> [String]? { command.isEmpty ? program : command }
  }

  fileprivate static let conditions = Conditions(sampling: Sampling(warmUp: 0, duration: 0, batch: 0), material: "/tmp")
  fileprivate static let echo = ProgramWorkload(RealProgram(name: "echo", summary: "", arguments: ["a", "b"]))

  private enum Found: Int32 { case measured, unavailable, failed }
  fileprivate static func found(
    _ workload: ProgramWorkload, _ command: [String], says words: String = ""
  ) -> Int32 {
    do throws(MeasurementError) {
      let measurement = try workload.measure(under: Substitute(command: command), conditions)
      return measurement.picoseconds.count == 1 && measurement.picoseconds[0] > 0 ? Found.measured.rawValue : 100
    } catch {
      switch error {
      case .unavailable(let reason): return reason.contains(words) ? Found.unavailable.rawValue : 101
      case .failed(let reason): return reason.contains(words) ? Found.failed.rawValue : 102
      }
    }
  }

  @Test func `a run is a sample`() async {
    await #expect(processExitsWith: .exitCode(0)) { exit(ProgramWorkloadTests.found(ProgramWorkloadTests.echo, [])) }
  }

  @Test func `a program that says something else than natively is no measurement`() async {
    await #expect(processExitsWith: .exitCode(2)) {
      exit(
        ProgramWorkloadTests.found(
          ProgramWorkloadTests.echo, ["echo", "a", "c"], says: "echo says something else than natively"))
    }
  }

  @Test func `a program or a mechanism that is not installed is a reason`() async {
    await #expect(processExitsWith: .exitCode(1)) {
      let none = ProgramWorkload(RealProgram(name: "no-such-program", summary: "", arguments: []))
      exit(ProgramWorkloadTests.found(none, [], says: "no-such-program is not installed"))
    }
    await #expect(processExitsWith: .exitCode(1)) {
      exit(
        ProgramWorkloadTests.found(
          ProgramWorkloadTests.echo, ["no-such-tracer"], says: "no-such-tracer cannot be started"))
    }
  }

  @Test func `a run that fails where the program by itself does not is told with what was said`() async {
    await #expect(processExitsWith: .exitCode(1)) {
      exit(
        ProgramWorkloadTests.found(
          ProgramWorkloadTests.echo, ["sh", "-c", "echo no right to trace >&2; exit 1"],
          says: "status 1: no right to trace"))
    }
  }
}
