/// Code that a profile names by module.
public struct CodeName: Hashable, Sendable {
  /// A file name or glob (matched with the whole path where it has a slash), `exe`, `vdso` or `anonymous`.
  public let name: String
  /// Of the executable mappings with that name, only the writable ones or only the others; nil where all are meant.
  public let writable: Bool?

  /// Names the code.
  public init(_ name: String, writable: Bool? = nil) {
    self.name = name
    self.writable = writable
  }
}

/// Why the code of a module could not be found.
public struct CodeNameError: Error, Hashable, Sendable {
  /// What is wrong, in one line.
  public let problem: String
  /// What to do about it, where there is something to do.
  public let remedy: String?
  /// Whether there just is no such code, which a profile may say is as it should be.
  public let isAbsence: Bool

  /// An error that says these.
  public init(problem: String, remedy: String?, isAbsence: Bool) {
    self.problem = problem
    self.remedy = remedy
    self.isAbsence = isAbsence
  }
}
