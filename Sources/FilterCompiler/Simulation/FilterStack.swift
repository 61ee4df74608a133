/// All the filters attached to one thread, in the order in which they were attached.
public struct FilterStack: Hashable, Sendable {
  /// The filters, the oldest first.
  public var programs: [Program]

  public init(_ programs: [Program]) { self.programs = programs }

  /// One filter's answer to a call.
  public struct Answer: Hashable, Sendable {
    public let action: Action
    /// The instructions executed, as indices.
    public let path: [Int]
  }

  /// What the kernel does with a call: every filter runs, the newest first, and the strictest answer wins, with the
  /// newest filter's data where several are equally strict. Without a filter the call is allowed.
  ///
  /// - Returns: The action that results, and each filter's answer in the order of ``programs``.
  public func evaluate(_ data: SeccompData) -> (action: Action, answers: [Answer]) {
    let answers = programs.map { program in
      let (action, path) = program.evaluate(data)
      return Answer(action: action, path: path)
    }
    let action = answers.reversed().reduce(Action(.allow)) { strictest, answer in
      answer.action.isStricter(than: strictest) ? answer.action : strictest
    }
    return (action, answers)
  }
}
