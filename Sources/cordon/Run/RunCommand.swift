import ArgumentParser
import CordonLauncher
import Glibc

/// `cordon run`: an unmodified program with its calls trapped.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs an unmodified program with its system calls trapped.",
    discussion: """
      The program runs as it would without cordon: the same output, terminal, signals, environment, limits, open \
      descriptors, and exit status (128 and the signal's number where a signal ended it). So does everything that it \
      executes. A call that is trapped is let through.

      Example: cordon run --all -- git status

      This is no boundary against hostile code: a program that fights it can get at the agent's memory, use io_uring, or \
      hand work to a process outside. Set-user-id programs run without their privilege.
      """)

  @Flag(name: .customLong("all"), help: "Every call is trapped.")
  var all = false

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The program, and its arguments.", valueName: "program"))
  var command: [String]

  mutating func run() throws {
    let arguments = try programArguments()
    let end: ProgramEnd
    do {
      end = try ProgramRun(arguments: arguments).run()
    } catch {
      throw CommandFailure(error)
    }
    Glibc.exit(end.exitStatus)
  }

  /// The program's arguments as this process was given them, which need not be texts.
  private func programArguments() throws(CommandFailure) -> [UnsafeMutablePointer<CChar>] {
    let isSeparated = command.first == "--"
    let words = command.dropFirst(isSeparated ? 1 : 0)
    guard let name = words.first else {
      throw .usage("run", "no program to run", remedy: "for example `cordon run --all -- ls -l`")
    }
    if !isSeparated, name.hasPrefix("-") {
      throw .usage(
        "run", "unknown option '\(name)'", remedy: "see `cordon help run`; `--` goes before a program of that name")
    }
    let all = CommandLine.unsafeArgv
    return (Int(CommandLine.argc) - words.count..<Int(CommandLine.argc)).compactMap { all[$0] }
  }
}

extension CommandFailure {
  fileprivate init(_ error: LaunchError) {
    switch error {
    case .program(let name, let problem, let remedy): self = .badInput(name, problem, remedy: remedy)
    case .machine(let problem, let remedy): self = .unavailable("run", problem, remedy: remedy)
    }
  }
}
