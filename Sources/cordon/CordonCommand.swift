import ArgumentParser

/// The root of the command line: it only knows its verbs.
struct CordonCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cordon",
    abstract: "Traps system calls by the code that issued them.",
    discussion: """
      Exit codes: 0 yes or done; 1 no; 64 wrong usage; 65 bad input; 69 this kernel or machine cannot do it; 70 a \
      defect of cordon's own.

      `cordon help VERB` explains a verb, with an example.
      """,
    version: "cordon 0.1.0",
    subcommands: [
      CompileCommand.self, ShowCommand.self, CheckCommand.self, ProveCommand.self, DiffCommand.self,
      CostCommand.self, DumpCommand.self, RunCommand.self, CompareCommand.self, DoctorCommand.self,
    ])
}
