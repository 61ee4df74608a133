internal import FilterCompiler
internal import Yams

/// A value of a profile, which knows where it stands.
struct ProfileNode {
  private let node: Node
  private let text: ProfileText

  /// The most characters that a profile has.
  static let largestText = 1 << 20

  /// Reads a text that is one YAML document.
  init(parsing text: ProfileText) throws(ProfileError) {
    guard text.text.utf8.count <= Self.largestText else {
      throw text.error(at: .start, "a profile has at most \(Self.largestText) bytes")
    }
    if let anchor = Self.anchor(in: text) {
      throw text.error(
        at: anchor, "profiles have no anchors ('&name')",
        remedy: "write the value wherever it is meant; inside of other text, put a blank behind the '&'")
    }
    do {
      // The encoding is named because Yams would ask the environment for it.
      guard let node = try Parser(yaml: text.text, encoding: .utf8).singleRoot() else {
        throw text.error(
          at: .start, "the profile is empty", remedy: "it says at least 'default: allow' or 'default: trap'")
      }
      self.node = node
      self.text = text
    } catch let error as YamlError {
      throw Self.error(error, text)
    } catch {
      throw error as? ProfileError ?? text.error(at: .start, "cannot be read: \(error)")
    }
  }

  private init(_ node: Node, _ text: ProfileText) {
    self.node = node
    self.text = text
  }

  /// Where the value starts.
  var place: ProfileText.Place { node.mark.map(ProfileText.Place.init) ?? .start }

  func error(_ problem: String, remedy: String? = nil) -> ProfileError {
    text.error(at: place, problem, remedy: remedy)
  }

  /// The same for a part of a text, which starts so many Unicode scalars after it.
  func error(_ problem: String, remedy: String?, after offset: Int) -> ProfileError {
    // Only of these styles it is known where their characters stand.
    guard case .scalar(let scalar) = node, let mark = node.mark,
      let lead = [.plain: 0, .singleQuoted: 1, .doubleQuoted: 1][scalar.style],
      !scalar.string.contains(where: { "\n\\'\"".contains($0) })
    else { return error(problem, remedy: remedy) }
    let start = ProfileText.Place(mark)
    return text.error(
      at: ProfileText.Place(line: start.line, column: start.column + lead + offset), problem, remedy: remedy)
  }

  /// Whether it is a mapping.
  var isMapping: Bool {
    if case .mapping = node { true } else { false }
  }

  /// The keys and values of a mapping, in their order.
  func pairs(_ expected: String) throws(ProfileError) -> [(key: ProfileNode, value: ProfileNode)] {
    guard case .mapping(let mapping) = node else { throw wrongType(expected) }
    return mapping.map { (ProfileNode($0.key, text), ProfileNode($0.value, text)) }
  }

  /// The text of a value that is neither a list nor a mapping.
  func scalar(_ expected: String) throws(ProfileError) -> String {
    guard case .scalar(let scalar) = node else { throw wrongType(expected) }
    if scalar.string.isEmpty || scalar.style == .plain && ["~", "null"].contains(scalar.string) {
      throw error("expected \(expected), found nothing")
    }
    return scalar.string
  }

  /// The elements of a list.
  func list(_ expected: String) throws(ProfileError) -> [ProfileNode] {
    guard case .sequence(let sequence) = node else { throw wrongType(expected) }
    return sequence.map { ProfileNode($0, text) }
  }

  /// The elements of a list, or the value itself where it is no list.
  func oneOrMore(_ expected: String) throws(ProfileError) -> [ProfileNode] {
    guard case .sequence(let sequence) = node else { return [self] }
    guard !sequence.isEmpty else { throw error("expected \(expected), found an empty list") }
    return sequence.map { ProfileNode($0, text) }
  }

  /// The values of a mapping that has none but these keys.
  func mapping(_ expected: String, keys: [String]) throws(ProfileError) -> [String: ProfileNode] {
    guard case .mapping(let mapping) = node else { throw wrongType(expected) }
    var values: [String: ProfileNode] = [:]
    for (key, value) in mapping {
      let name = try ProfileNode(key, text).scalar("a key")
      guard keys.contains(name) else {
        let near = NearNames.of(name, among: keys).first
        throw ProfileNode(key, text).error(
          "unknown key '\(name)'",
          remedy: near.map { "did you mean '\($0)'?" } ?? "\(expected) has \(keys.joined(separator: ", "))")
      }
      values[name] = ProfileNode(value, text)
    }
    return values
  }

  /// One of these names.
  func choice<Value>(_ expected: String, _ choices: [(String, Value)]) throws(ProfileError) -> Value {
    let name = try scalar(expected)
    if let found = choices.first(where: { $0.0 == name }) { return found.1 }
    let names = choices.map(\.0)
    let near = NearNames.of(name, among: names).first
    throw error(
      "expected \(expected), found '\(name)'",
      remedy: near.map { "did you mean '\($0)'?" } ?? "it is one of \(names.joined(separator: ", "))")
  }

  private func wrongType(_ expected: String) -> ProfileError {
    let found =
      switch node {
      case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string.prefix(40))'"
      case .sequence: "a list"
      case .mapping: "a mapping"
      case .alias: "an alias"
      }
    return error("expected \(expected), found \(found)")
  }

  /// Where an anchor stands, or what looks like one: with them a text of a few lines could stand for a value of any size.
  private static func anchor(in text: ProfileText) -> ProfileText.Place? {
    var place = ProfileText.Place.start
    var (before, isComment): (Unicode.Scalar, Bool) = ("\n", false)
    var candidate: ProfileText.Place?
    for scalar in text.text.unicodeScalars {
      if let candidate, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-"
      {
        return candidate
      }
      candidate = nil
      if scalar == "#", before.properties.isWhitespace { isComment = true }
      if scalar == "&", !isComment, before.properties.isWhitespace || "[{,:?-".unicodeScalars.contains(before) {
        candidate = place
      }
      if scalar == "\n" {
        place = ProfileText.Place(line: place.line + 1, column: 1)
        isComment = false
      } else {
        place = ProfileText.Place(line: place.line, column: place.column + 1)
      }
      before = scalar
    }
    return nil
  }

  private static func error(_ error: YamlError, _ text: ProfileText) -> ProfileError {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let isAlias = problem.contains("alias") || context?.text.contains("alias") == true
      return text.error(
        at: ProfileText.Place(mark), isAlias ? "a value that starts with '*' needs quotes" : "no YAML: \(problem)",
        remedy: isAlias
          ? "for example '*.so'" : "YAML is indented with blanks, and quotes what starts with one of its own signs")
    case .reader(let problem, let offset, _, _):
      let bytes = offset.map { text.text.prefix($0).utf8.count } ?? 0
      return text.error(at: text.place(ofByte: bytes), "no YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      return text.error(
        at: ProfileText.Place(context.mark), "the key '\(duplicates.first ?? "")' is there more than once",
        remedy: "say it once, and join what it says in a list")
    default: return text.error(at: .start, "no YAML: \(error)")
    }
  }
}

extension ProfileText.Place {
  fileprivate init(_ mark: Mark) { self.init(line: max(mark.line, 1), column: max(mark.column, 1)) }
}
