import ArgumentParser
import Cordon
import FilterCompiler
import Glibc
import SyscallPolicy
import SystemPackage

/// `cordon dump`: the filters that a live process is under.
struct DumpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Reads the filters of a live process.",
    discussion: """
      The filters of a thread, the oldest first; a process stands for its first thread. It is held still by ptrace(2) \
      for about a millisecond, and changed in no way. Needs CAP_SYS_ADMIN.

      With -o the filters are written as raw files PREFIX.0.bpf, PREFIX.1.bpf and so on, which the other verbs read.

      Examples:
        cordon dump 4711
        cordon dump 4711 -o browser && cordon cost browser.*.bpf
      """)

  @Argument(help: "The process, or one of its threads.", transform: ProcessNumber.init(parsing:))
  var pid: ProcessNumber

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("Write raw files whose names start so, and print the names.", valueName: "prefix"),
    completion: .file())
  var output: String?

  func run() throws {
    let programs = try LiveFilters.read(pid.value)
    if let output {
      try write(programs, output)
    } else {
      try OutputDestination.standardOutput.write(listing(programs).utf8)
    }
  }

  private func listing(_ programs: [Program]) -> String {
    let name = KernelFile.line("/proc/\(pid.value)/comm").map { " (\($0))" } ?? ""
    let disassembler = Disassembler { SyscallNames.name(of: $0, on: $1) }
    let style = OutputDestination.standardOutput.style
    return programs.enumerated().map { index, program in
      let count = program.instructions.count
      return "# filter \(index + 1) of \(programs.count) of process \(pid.value)\(name), \(count)"
        + " instruction\(count == 1 ? "" : "s")\n"
        + disassembler.lines(of: program).map { style.text($0) + "\n" }.joined()
    }.joined(separator: "\n")
  }

  /// All files or, where one cannot be written, none.
  private func write(_ programs: [Program], _ prefix: String) throws(CommandFailure) {
    var endings: [String] = []
    do throws(CommandFailure) {
      for (index, program) in programs.enumerated() {
        let ending = ".\(index).bpf"
        try OutputDestination.file(prefix, ending: ending).write(program.encoded())
        endings.append(ending)
      }
      try OutputDestination.standardOutput.write(endings.map { "\(prefix)\($0)\n" }.joined().utf8)
    } catch {
      for ending in endings {
        if let path = try? ArgumentPath.path(prefix, ending: ending) { _ = path.withPlatformString { unlink($0) } }
      }
      throw error
    }
  }
}
