/// One thing that is so or not so on this kernel, on this machine, or for this user.
struct Fact: Sendable, Hashable, Encodable {
  enum Answer: String, Sendable, Hashable, Encodable {
    case yes, no
    /// It cannot be found out; the reason says why.
    case unknown
  }

  /// A stable, dotted name for programs.
  var name: String
  /// What it is about, for people.
  var title: String
  /// Nil where the fact is a value.
  var answer: Answer?
  /// A value, or what belongs to the answer.
  var value: String?
  /// The first kernel release that has it.
  var since: String?
  /// Why not.
  var reason: String?
  /// What can be done about it.
  var remedy: String?

  /// A fact that has a value and no answer.
  static func value(_ name: String, _ title: String, _ value: String) -> Fact {
    Fact(name: name, title: title, value: value)
  }

  /// A fact whose answer is yes exactly if there is no reason against it.
  static func check(
    _ name: String, _ title: String, since: String? = nil, value: String? = nil, reason: String?,
    remedy: String? = nil
  ) -> Fact {
    Fact(
      name: name, title: title, answer: reason == nil ? .yes : .no, value: value, since: since, reason: reason,
      remedy: reason == nil ? nil : remedy)
  }

  /// What stands behind the title.
  var detail: String {
    var parts: [String] = []
    if let value { parts.append(value) }
    if let since { parts.append("since Linux \(since)") }
    if let reason { parts.append(reason) }
    if let remedy { parts.append(remedy) }
    return parts.joined(separator: "; ")
  }
}
