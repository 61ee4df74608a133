import ArgumentParser
import Dispatch
import FilterCompiler
import Glibc

/// Runs a verb, and ends as the command line promises: errors in one form, and an exit code that says what kind.
@main
enum EntryPoint {
  /// A verb runs on the first thread, as the process began: with the signal mask that it was started with, and no
  /// other thread. Only a verb that waits for other processes gets tasks, and with them the threads they run on.
  static func main() {
    do {
      // The name of the process is there at least; but it is a file that all of them are read from (/proc/self/cmdline).
      guard CommandLine.argc > 0 else {
        throw CommandFailure.unavailable(
          "command line", "cannot be read", remedy: "a descriptor has to be free: see `ulimit -n`")
      }
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
    // The parser would explain the root, or call it an unexpected argument.
    let asked = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
    if let asked, !asked.hasPrefix("-"), asked != "help", !isVerb(asked) { throw noVerb(asked) }
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

  /// What a command line may begin with.
  static var verbs: [String] {
    CordonCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
  }

  private static func isVerb(_ name: String) -> Bool { verbs.contains(name) }

  private static func noVerb(_ name: String) -> CommandFailure {
    let near = NearNames.of(name, among: verbs).map { "'\($0)'" }.joined(separator: ", ")
    return .usage(
      "command line", "there is no verb '\(name)'",
      remedy: near.isEmpty ? "`cordon help` lists the verbs" : "did you mean \(near)?")
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

  /// The parser's message in one line and without a capital. A list of values stands on lines of its own, or in a sentence
  /// of its own.
  private static func sentence(_ message: String) -> String {
    let lines = message.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }
    let values = lines.filter { $0.hasPrefix("- ") }.map { $0.dropFirst(2) }
    var line = lines.filter { !$0.hasPrefix("- ") }.joined(separator: " ")
    let choice = ": it is one of "
    if !values.isEmpty {
      line = line.replacing(". Please provide one of the following:", with: choice) + values.joined(separator: ", ")
    } else if let sentence = line.firstRange(of: ". Please provide one of ") {
      line.replaceSubrange(sentence, with: choice)
      line = line.replacing("'.", with: "'")
    }
    return line.prefix(1).lowercased() + line.dropFirst()
  }
}
