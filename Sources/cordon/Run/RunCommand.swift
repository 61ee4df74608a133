import ArgumentParser
import CordonLauncher

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

      WHAT is a RANGE, the name of a module's file or a glob for it ('libfoo*.so*'; for its whole path where it has a \
      slash), exe, anonymous (code from no file), jit (code from no file, or that can be written), vdso, or all. Where only \
      shared libraries are named, they are mapped where the filter traps, and all other code runs at full speed.

      With --profile the code that it names is treated as it says. A region that is given by its addresses and denied is \
      denied by the filter itself, whatever the program does, and its calls are neither counted nor logged; what is \
      decided by a module's name, or by number and arguments, is decided by cordon's code inside the program.

      With --mechanism sud every trap is syscall user dispatch's, also in all that is executed, and no filter denies \
      anything; threads and children that 32-bit code makes are not trapped.

      This is no boundary against hostile code: a program that fights it can jump into the agent's pages, whose calls \
      pass, and write to its memory; io_uring works without calls; and descriptors can be handed to a process outside. Only \
      what the filter itself denies holds all the same. Set-user-id programs run without their privilege. A tracer outside sees \
      each trap as a SIGSYS: tell gdb 'handle SIGSYS nostop noprint pass'.

      Examples:
        cordon run ./program
        cordon run --trap 'libplugin*.so' --stats -- ./program --option
        cordon run --all --log calls.json -- make
        cordon run --profile Filters/deny-writable-code.yaml ./program
      """)

  @Option(help: ArgumentHelp("Calls of this code are trapped; repeatable.", valueName: "what"))
  var trap: [String] = []

  @Flag(name: .customLong("all"), help: "Every call is trapped; none is accounted unless that is asked for.")
  var all = false

  @Flag(help: "Prints a table by module and call to standard error at the end.")
  var stats = false

  @Option(
    help: ArgumentHelp("What becomes of calls, by where they come from.", valueName: "profile"),
    completion: .file())
  var profile: String?

  @Option(help: "How calls are trapped: seccomp (the default) or sud, syscall user dispatch.")
  var mechanism: TrapMechanism = .seccomp

  @Option(
    help: ArgumentHelp("Writes a JSON line for each call to this file.", valueName: "file"),
    completion: .file())
  var log: String?

  @Option(
    help: ArgumentHelp("Writes what --stats prints, as JSON, to this file.", valueName: "file"),
    completion: .file())
  var report: String?

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The program, and its arguments.", valueName: "program"), completion: .file())
  var command: [String]

  mutating func run() throws {
    // What comes before the program is captured with it where it is no option of ours.
    if command.first == "--help" || command.first == "-h" { throw CleanExit.helpRequest(self) }
    try RunInvocation(
      trap: trap, all: all, stats: stats, profile: profile, mechanism: mechanism, log: log, report: report,
      command: CommandWords(last: command.count)
    ).run()
  }
}

extension TrapMechanism: ExpressibleByArgument {}
