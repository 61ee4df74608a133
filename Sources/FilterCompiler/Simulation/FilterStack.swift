/// All the filters attached to one thread, in the order in which they were attached.
public struct FilterStack: Hashable, Sendable {
  /// The filters, the oldest first.
  public var programs: [Program]

  /// A stack of these filters, the oldest first.
  public init(_ programs: [Program]) { self.programs = programs }

  /// One filter's answer to a call.
  public struct Answer: Hashable, Sendable {
    /// What the filter returned.
    public let action: Action
    /// The instructions executed, as indices.
    public let path: [Int]
  }

  /// What becomes of a call.
  public struct Result: Hashable, Sendable {
    /// The action that results.
    public let action: Action
    /// Each filter's answer, in the order of ``FilterStack/programs``.
    public let answers: [Answer]
    /// Which of the answers results; nil where none is stricter than letting the call happen.
    public let deciding: Int?
  }

  /// What the kernel does with a call: every filter runs, the newest first, and the strictest answer wins, with the
  /// newest filter's data where several are equally strict. Without a filter the call is allowed.
  public func evaluate(_ data: SeccompData) -> Result {
    let answers = programs.map { program in
      let (action, path) = program.evaluate(data)
      return Answer(action: action, path: path)
    }
    var strictest = Action(.allow)
    var deciding: Int?
    for (index, answer) in answers.enumerated().reversed() where answer.action.isStricter(than: strictest) {
      strictest = answer.action
      deciding = index
    }
    return Result(action: strictest, answers: answers, deciding: deciding)
  }
}
