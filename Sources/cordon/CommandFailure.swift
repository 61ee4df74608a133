import SyscallPolicy

/// Why a verb gave up, as its user is told: `cordon: PLACE: PROBLEM`, and a second line with the remedy. What is wrong in a
/// profile is shown there: `FILE:LINE:COLUMN: PROBLEM`, the line, a caret, the remedy.
struct CommandFailure: Error {
  let status: ExitStatus
  /// What the problem is with: an option, a file, a process, or the verb.
  let place: String
  /// The problem, in one line.
  let problem: String
  /// What to do about it, where there is something to do.
  let remedy: String?
  /// The line of a file that the problem is with, and a caret below it.
  var excerpt: String?

  /// A command line that cannot be understood.
  static func usage(_ place: String, _ problem: some CustomStringConvertible, remedy: String? = nil) -> CommandFailure {
    CommandFailure(status: .usage, place: place, problem: "\(problem)", remedy: remedy)
  }

  /// Something named on the command line that is bad.
  static func badInput(
    _ place: String, _ problem: some CustomStringConvertible, remedy: String? = nil
  ) -> CommandFailure {
    CommandFailure(status: .badInput, place: place, problem: "\(problem)", remedy: remedy)
  }

  /// A profile that is bad, or that this machine has no room to compile; the place is one that editors understand.
  static func badProfile(_ error: ProfileError) -> CommandFailure {
    CommandFailure(
      status: error.isOfMachine ? .unavailable : .badInput, place: error.place, problem: error.problem,
      remedy: error.remedy, excerpt: error.excerpt)
  }

  /// Something that this kernel or machine cannot do.
  static func unavailable(
    _ place: String, _ problem: some CustomStringConvertible, remedy: String? = nil
  ) -> CommandFailure {
    CommandFailure(status: .unavailable, place: place, problem: "\(problem)", remedy: remedy)
  }

  /// The lines for standard error, without a newline at the end.
  var text: String {
    let first = Self.line(excerpt == nil ? "cordon: \(place): \(problem)" : "\(place): \(problem)")
    return [first, excerpt, remedy.map(Self.line)].compactMap(\.self).joined(separator: "\n")
  }

  /// The text without what a file's name or a word can hold besides: newlines, and what terminals take for commands.
  private static func line(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      line.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{fffd}" : scalar)
    }
    return line
  }
}
