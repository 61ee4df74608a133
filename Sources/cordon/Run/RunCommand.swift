import ArgumentParser
import CordonLauncher
import Glibc
import SystemPackage

/// `cordon run`: an unmodified program with its calls trapped.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs an unmodified program with its system calls trapped.",
    discussion: """
      The program runs as it would without cordon: the same output, terminal, signals, environment, limits, open \
      descriptors, and exit status (128 and the signal's number where a signal ended it). So does everything that it \
      executes. A call that is trapped is let through, and accounted.

      Without options every call is trapped, and those that did not come from libc, ld.so or the vDSO are reported on \
      standard error at the end.

      WHAT is a RANGE, a module's name or a glob for it ('libfoo*.so*'), exe, anonymous (code from no file), jit (code \
      from no file, or that can be written), vdso, or all. Where only shared libraries are named, they are mapped where \
      the filter traps, and all other code runs at full speed.

      Example: cordon run --trap 'libplugin*.so' --stats -- ./program

      This is no boundary against hostile code: a program that fights it can get at the agent's memory, use io_uring, or \
      hand work to a process outside. Set-user-id programs run without their privilege.
      """)

  @Option(help: ArgumentHelp("Calls of this code are trapped; repeatable.", valueName: "what"))
  var trap: [String] = []

  @Flag(name: .customLong("all"), help: "Every call is trapped; none is accounted unless that is asked for.")
  var all = false

  @Flag(help: "Prints a table by module and call to standard error at the end.")
  var stats = false

  @Option(help: ArgumentHelp("Writes a JSON line for each call to this file.", valueName: "file"))
  var log: String?

  @Option(help: ArgumentHelp("Writes what --stats prints, as JSON, to this file.", valueName: "file"))
  var report: String?

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The program, and its arguments.", valueName: "program"))
  var command: [String]

  mutating func run() throws {
    let arguments = try programArguments()
    let selection = try TrapArguments.selection(trap, all: all)
    let asksForNothing = trap.isEmpty && !all
    let outcome: ProgramRun.Outcome
    do {
      let program = try ProgramRun(
        arguments: arguments,
        options: ProgramRun.Options(
          selection: selection, accounts: stats || report != nil || !all, log: try log.map(Self.openLog)))
      outcome = try program.run()
    } catch let error as LaunchError {
      throw CommandFailure(error)
    }
    if let books = outcome.report {
      for target in books.absent where !asksForNothing && !all {
        StandardError.write("cordon: --trap: nothing that matches '\(TrapArguments.text(target))' was found")
      }
      if stats || (asksForNothing && log == nil && report == nil) {
        books.lines(stats ? .all : .elsewhere).forEach { StandardError.write($0) }
      }
      if let report { write(books, to: report, outcome.end) }
    }
    Glibc.exit(outcome.end.exitStatus)
  }

  /// A report that cannot be written is said to be missing; the exit status is the program's.
  private func write(_ books: RunReport, to report: String, _ end: ProgramEnd) {
    do {
      let words = command.first == "--" ? Array(command.dropFirst()) : command
      try OutputDestination(report).write(books.json(program: words, end: end).utf8)
    } catch {
      StandardError.write(error.text)
    }
  }

  private static func openLog(_ path: String) throws(CommandFailure) -> CallLog {
    if path == "-" { return CallLog(path: "standard output", descriptor: .standardOutput) }
    do {
      return try Errno.typed {
        let descriptor = try FileDescriptor.open(
          FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
          permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite])
        return CallLog(path: path, descriptor: descriptor)
      }
    } catch {
      throw .badInput(path, "cannot be written: \(error)")
    }
  }

  /// The program's arguments as this process was given them, which need not be texts.
  private func programArguments() throws(CommandFailure) -> [UnsafeMutablePointer<CChar>] {
    let isSeparated = command.first == "--"
    let words = command.dropFirst(isSeparated ? 1 : 0)
    guard let name = words.first else {
      throw .usage("run", "no program to run", remedy: "for example `cordon run -- ls -l`")
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
