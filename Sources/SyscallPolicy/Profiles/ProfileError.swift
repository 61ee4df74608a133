/// What is wrong with a profile, and where.
public struct ProfileError: Error, Hashable, Sendable {
  /// The name under which the profile was given.
  public let file: String
  /// The line, from 1.
  public let line: Int
  /// The column, from 1, in Unicode scalars.
  public let column: Int
  /// What is wrong, in one line.
  public let problem: String
  /// The line of the profile, and below it a caret where it goes wrong; neither ends with a newline.
  public let excerpt: String
  /// What to do about it, where there is something to do.
  public let remedy: String?
  /// Whether nothing is wrong with the profile, and this machine has no process or no memory to compile it with.
  public internal(set) var isOfMachine = false

  /// `FILE:LINE:COLUMN`.
  public var place: String { "\(file):\(line):\(column)" }
}

extension ProfileError: CustomStringConvertible {
  /// `FILE:LINE:COLUMN: PROBLEM`, the line, the caret, and the remedy.
  public var description: String {
    (["\(place): \(problem)", excerpt] + (remedy.map { [$0] } ?? [])).joined(separator: "\n")
  }
}
