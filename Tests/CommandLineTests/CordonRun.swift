import Glibc
import Subprocess
import SystemPackage

/// One run of the `cordon` that was built with these tests.
struct CordonRun {
  let status: TerminationStatus
  let output: String
  let error: String

  /// It lies beside the test program.
  static let executable: FilePath = {
    let name = realpath("/proc/self/exe", nil)
    defer { free(name) }
    let program = name.map { FilePath(String(cString: $0)) } ?? FilePath("/proc/self/exe")
    return program.removingLastComponent().appending("cordon")
  }()

  /// Runs `cordon` with these arguments to its end.
  static func run(_ arguments: String...) async throws -> CordonRun { try await run(arguments) }

  /// Runs `cordon` with these arguments to its end.
  static func run(_ arguments: [String]) async throws -> CordonRun {
    let result = try await Subprocess.run(
      .path(executable), arguments: Arguments(arguments), output: .string(limit: 4 << 20),
      error: .string(limit: 1 << 20))
    return CordonRun(
      status: result.terminationStatus, output: result.standardOutput, error: result.standardError)
  }
}
