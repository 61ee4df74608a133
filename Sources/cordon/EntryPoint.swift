import ArgumentParser
import Glibc

/// Runs a verb, and ends as the command line promises: errors in one form, and an exit code that says what kind.
@main
enum EntryPoint {
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      try await run(arguments)
    } catch {
      exit(report(error, arguments).rawValue)
    }
  }

  private static func run(_ arguments: [String]) async throws {
    // The parser would explain the root for a verb that does not exist.
    if arguments.first == "help", let verb = arguments.dropFirst().first, !verb.hasPrefix("-"), !isVerb(verb) {
      throw CommandFailure.usage("help", "there is no verb '\(verb)'", remedy: "`cordon help` lists the verbs")
    }
    var command = try CordonCommand.parseAsRoot(arguments)
    if var asynchronous = command as? any AsyncParsableCommand {
      try await asynchronous.run()
    } else {
      try command.run()
    }
  }

  private static func isVerb(_ name: String) -> Bool {
    CordonCommand.configuration.subcommands.contains { $0.configuration.commandName == name }
  }

  /// Says what went wrong, or prints the help that was asked for, which the parser throws as well.
  private static func report(_ error: any Error, _ arguments: [String]) -> ExitStatus {
    if let failure = error as? CommandFailure {
      StandardError.write(failure.text)
      return failure.status
    }
    if let code = error as? ExitCode {
      return ExitStatus(rawValue: code.rawValue) ?? .defect
    }
    let verb = arguments.first(where: isVerb)
    switch CordonCommand.exitCode(for: error) {
    case .success:
      print(CordonCommand.fullMessage(for: error))
      return .done
    case .validationFailure:
      let failure = CommandFailure.usage(
        verb ?? "command line", sentence(CordonCommand.message(for: error)),
        remedy: "see `cordon help\(verb.map { " " + $0 } ?? "")`")
      StandardError.write(failure.text)
      return failure.status
    default:
      let failure = CommandFailure(
        status: .defect, place: verb ?? "command line", problem: "unexpected error: \(error)",
        remedy: "this is a defect of cordon's own; please report it with the command line")
      StandardError.write(failure.text)
      return failure.status
    }
  }

  /// The parser's message in one line and without a capital.
  private static func sentence(_ message: String) -> String {
    let line = message.split(separator: "\n").joined(separator: " ")
    return line.prefix(1).lowercased() + line.dropFirst()
  }
}
