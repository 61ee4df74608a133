import ArgumentParser
import Dispatch
import Glibc

/// Runs a verb, and ends as the command line promises: errors in one form, and an exit code that says what kind.
@main
enum EntryPoint {
  /// A verb runs on the first thread, as the process began: with the signal mask that it was started with, and no
  /// other thread. Only a verb that waits for other processes gets tasks, and with them the threads they run on.
  static func main() {
    do {
      if let invocation = RunInvocation.plain(in: CommandWords()) { try invocation.run() }
      let arguments = Self.arguments
      var command = try command(for: arguments)
      if let asynchronous = command as? any AsyncParsableCommand {
        runToEnd(asynchronous, arguments)
      }
      try command.run()
    } catch {
      exit(report(error, arguments).rawValue)
    }
  }

  private static var arguments: [String] { Array(CommandLine.arguments.dropFirst()) }

  private static func command(for arguments: [String]) throws -> any ParsableCommand {
    // The parser would explain the root for a verb that does not exist.
    if arguments.first == "help", let verb = arguments.dropFirst().first, !verb.hasPrefix("-"), !isVerb(verb) {
      throw CommandFailure.usage("help", "there is no verb '\(verb)'", remedy: "`cordon help` lists the verbs")
    }
    return try CordonCommand.parseAsRoot(arguments)
  }

  /// Not inlined: what it needs for its task would be set up for every verb.
  @inline(never)
  private static func runToEnd(_ command: sending any AsyncParsableCommand, _ arguments: [String]) -> Never {
    Task {
      var command = command
      do {
        try await command.run()
        exit(ExitStatus.done.rawValue)
      } catch {
        exit(report(error, arguments).rawValue)
      }
    }
    dispatchMain()
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
      do {
        try OutputDestination.standardOutput.write((CordonCommand.fullMessage(for: error) + "\n").utf8)
      } catch {
        StandardError.write(error.text)
        return error.status
      }
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

  /// The parser's message in one line and without a capital. A list of values stands on lines of its own.
  private static func sentence(_ message: String) -> String {
    let lines = message.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }
    let values = lines.filter { $0.hasPrefix("- ") }.map { $0.dropFirst(2) }
    var line = lines.filter { !$0.hasPrefix("- ") }.joined(separator: " ")
    let introduction = ". Please provide one of the following:"
    if !values.isEmpty, line.hasSuffix(introduction) {
      line = line.dropLast(introduction.count) + ": it is one of " + values.joined(separator: ", ")
    } else if !values.isEmpty {
      line += " " + values.joined(separator: ", ")
    }
    return line.prefix(1).lowercased() + line.dropFirst()
  }
}
