public import FilterCompiler

/// A file of counts of calls, by number and by the code that makes them, for ``CompileOptions/weights``.
///
/// The format is described in Filters/README.md. Code may be named by module; ``weights(finding:)`` turns the names into
/// ranges.
public struct WeightsFile: Sendable {
  private struct Code: Sendable {
    let entry: Profile.Entry
    let count: UInt64
  }

  /// What the key `schema` says, where it is there.
  public static let schema = "cordon.weights/1"

  /// Counts beyond this are no longer told apart from their neighbours.
  private static let largestCount: UInt64 = 1 << 53

  private let text: ProfileText
  private var numbers: [UInt32: UInt64] = [:]
  private var code: [Code] = []

  /// Whether any code is named by module, so that a process is needed to find it in.
  public var namesModules: Bool {
    code.contains { if case .named = $0.entry.code { true } else { false } }
  }

  /// Reads a file of counts.
  ///
  /// - Parameters:
  ///   - yaml: The text of the file.
  ///   - file: What errors call it.
  ///   - architecture: The machine whose calls and code are counted.
  /// - Throws: ``ProfileError``, which says where in the text.
  public init(yaml: String, file: String, architecture: Architecture) throws(ProfileError) {
    text = ProfileText(file: file, text: yaml)
    let root = try ProfileNode(parsing: text)
    let values = try root.mapping("a file of weights", keys: ["schema", "calls", "code"])
    if let schema = values["schema"] { _ = try schema.choice("the schema of this version", [(Self.schema, ())]) }
    guard values["calls"] != nil || values["code"] != nil else {
      throw root.error("nothing is counted", remedy: "say under 'calls' or 'code' how often calls are made")
    }
    for (key, value) in try values["calls"]?.pairs("calls and their counts") ?? [] {
      let (table, number) = try key.call(on: architecture)
      guard table.architecture == AuditArchitecture(architecture) else {
        throw key.error("only calls of \(architecture) itself are counted", remedy: "leave it out")
      }
      guard numbers[number] == nil else { throw key.error("this call is counted already", remedy: "add the counts up") }
      numbers[number] = try Self.count(value)
    }
    for (key, value) in try values["code"]?.pairs("code and how often it calls") ?? [] {
      let entry = Profile.Entry(
        code: try key.code(), place: key.place, disposition: .allow, writable: nil, isOptional: false)
      code.append(Code(entry: entry, count: try Self.count(value)))
    }
  }

  private static func count(_ node: ProfileNode) throws(ProfileError) -> UInt64 {
    let text = try node.scalar("a count")
    guard let count = UInt64(text), count <= largestCount else {
      throw node.error("a count is a whole number from 0 to 2^53, not '\(text)'")
    }
    return count
  }

  /// The counts, with code that is named by module where `find` says that it lies. The calls of a module are taken to be
  /// spread evenly over its code.
  ///
  /// - Throws: ``ProfileError`` where `find` finds no such code, or modules are named and `find` is nil.
  public func weights(finding find: Profile.CodeFinder? = nil) throws(ProfileError) -> CallWeights {
    var weights = CallWeights(numbers: numbers)
    for code in code {
      let ranges = try text.ranges(of: code.entry, find, hint: "leave it out")
      let length = ranges.reduce(0) { $0 + Double($1.length) }
      for range in ranges {
        weights.code[range, default: 0] += UInt64((Double(code.count) * (Double(range.length) / length)).rounded())
      }
    }
    return weights
  }
}
