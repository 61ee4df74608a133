import Cordon
import SystemPackage

/// A program that people run, and work for it that is the same every time.
package struct RealProgram: Sendable {
  /// What it is called, and the file that it is in.
  package let name: String
  /// What it does, in a few words.
  package let summary: String
  /// What stands behind its name on the command line. File names are relative to the folder of ``ProgramMaterial``.
  let arguments: [String]

  /// Where programs of the system are. What a user has put in front of them, as a wrapper that picks a version, is another
  /// program.
  private static let folders = ["/usr/bin", "/bin", "/usr/local/bin"]

  /// Its file; nil where it is not installed.
  package var executable: String? { Self.executable(name) }

  /// The file of a program; nil where it is not installed.
  static func executable(_ name: String) -> String? {
    folders.map { "\($0)/\(name)" }.first { KernelFile.isExecutable($0) }
  }

  package static let all: [RealProgram] = [
    RealProgram(
      name: "find", summary: "asks for 2,000 files in 50 folders",
      arguments: [ProgramMaterial.tree, "-type", "f", "-size", "+1"]),
    RealProgram(
      name: "tar", summary: "packs them", arguments: ["-cf", ProgramMaterial.archive, ProgramMaterial.tree]),
    RealProgram(
      name: "sqlite3", summary: "makes 200 inserts, each a transaction",
      arguments: [ProgramMaterial.database, ".read \(ProgramMaterial.inserts)"]),
    RealProgram(name: "python3", summary: "starts, imports a module and ends", arguments: ["-c", "import json"]),
    RealProgram(
      name: "gcc", summary: "compiles a small file, by two programs that it starts",
      arguments: ["-O1", "-c", ProgramMaterial.source, "-o", ProgramMaterial.object]),
    RealProgram(
      name: "gofmt", summary: "a Go program: reads 100 files in threads of its own",
      arguments: ["-l", ProgramMaterial.goFiles]),
  ]
}
