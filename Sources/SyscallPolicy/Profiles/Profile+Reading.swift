public import FilterCompiler

extension Profile {
  /// What the key `schema` says, where it is there.
  public static let schema = "cordon.profile/1"

  private static let keys = [
    "schema", "architecture", "policies", "default", "regions", "dont-care", "checked-architectures",
    "other-architectures", "x32-calls", "allowed-calls", "gate", "trapped-calls", "trapped-calls-data",
  ]
  private static let regionKeys = ["code", "disposition", "writable", "optional"]

  /// Reads a profile.
  ///
  /// - Parameters:
  ///   - yaml: The text of the profile.
  ///   - file: What errors call it.
  ///   - architecture: The machine whose code is meant; nil for the one that the profile names, and where it names
  ///     none, the host.
  /// - Throws: ``ProfileError``, which says where in the text.
  public init(yaml: String, file: String, architecture: Architecture? = nil) throws(ProfileError) {
    let text = ProfileText(file: file, text: yaml)
    let root = try ProfileNode(parsing: text)
    let values = try root.mapping("a profile", keys: Self.keys)
    if let schema = values["schema"] { _ = try schema.choice("the schema of this version", [(Self.schema, ())]) }
    self.text = text
    self.architecture = try Self.architecture(values["architecture"], given: architecture)
    var policies = try ProfilePolicies(values["policies"], self.architecture)
    guard let node = values["default"] else {
      throw root.error("the profile has no 'default'", remedy: "say what becomes of calls from any other code")
    }
    defaultDisposition = try policies.disposition(node)
    (entries, dontCare) = try Self.code(values, &policies)
    options = try Self.options(values, self.architecture, &policies)
  }

  private static func architecture(
    _ node: ProfileNode?, given: Architecture?
  ) throws(ProfileError) -> Architecture {
    guard let node else { return given ?? .host }
    let stated = try node.choice("an architecture", Architecture.allCases.map { ($0.rawValue, $0) })
    guard given == nil || given == stated else {
      throw node.error(
        "the profile is for \(stated), and \(given ?? stated) is asked for", remedy: "leave out one of the two")
    }
    return stated
  }

  private static func code(
    _ values: [String: ProfileNode], _ policies: inout ProfilePolicies
  ) throws(ProfileError) -> ([Entry], [Gap]) {
    var entries: [Entry] = []
    var listed: [Code: [Entry]] = [:]
    for region in try values["regions"]?.list("a list of regions") ?? [] {
      for (entry, node) in try Self.entries(region, &policies) {
        if let earlier = listed[entry.code]?.first(where: entry.repeats) {
          throw node.error(
            earlier.disposition == entry.disposition
              ? "this code is listed already in line \(earlier.place.line)"
              : "this code is \(earlier.disposition) already in line \(earlier.place.line)",
            remedy: "name code once")
        }
        listed[entry.code, default: []].append(entry)
        entries.append(entry)
      }
    }
    var gaps: [Gap] = []
    for node in try values["dont-care"]?.oneOrMore("ranges") ?? [] {
      gaps.append(Gap(range: try node.range(), place: node.place))
    }
    return (entries, gaps)
  }

  private static func entries(
    _ region: ProfileNode, _ policies: inout ProfilePolicies
  ) throws(ProfileError) -> [(entry: Entry, node: ProfileNode)] {
    let values = try region.mapping("a region", keys: regionKeys)
    guard let code = values["code"] else {
      throw region.error("the region has no 'code'", remedy: "say where it lies: a range, or with --pid a module")
    }
    guard let disposition = values["disposition"] else {
      throw region.error("the region has no 'disposition'", remedy: "say what becomes of its calls: allow, trap, …")
    }
    let meaning = try policies.disposition(disposition)
    let writable = try values["writable"]?.truth()
    let isOptional = try values["optional"]?.truth() ?? false
    var entries: [(Entry, ProfileNode)] = []
    for node in try code.oneOrMore("code") {
      let code = try node.code()
      if case .range = code, let stray = values["writable"] ?? values["optional"] {
        throw stray.error(
          "a range is there as it is, writable or not", remedy: "put ranges and modules into regions of their own")
      }
      entries.append(
        (Entry(code: code, place: node.place, disposition: meaning, writable: writable, isOptional: isOptional), node))
    }
    return entries
  }

  private static func options(
    _ values: [String: ProfileNode], _ machine: Architecture, _ policies: inout ProfilePolicies
  ) throws(ProfileError) -> CompileOptions {
    var options = CompileOptions()
    if let checked = values["checked-architectures"] {
      var architectures: [AuditArchitecture] = []
      let known = AuditArchitecture.known.map { ($0.description, $0) }
      for node in try checked.oneOrMore("architectures") {
        let architecture = try node.choice("an architecture", known)
        guard !architectures.contains(architecture) else { throw node.error("\(architecture) is listed already") }
        architectures.append(architecture)
      }
      options.checkedArchitectures = architectures
    }
    if let other = values["other-architectures"] {
      guard options.checkedArchitectures != nil else {
        throw other.error("no architecture is another one where 'checked-architectures' lists none")
      }
      options.otherArchitecture = try policies.disposition(other)
    }
    if let x32 = values["x32-calls"] {
      guard machine == .x86_64 else { throw x32.error("\(machine) has no x32 calls", remedy: "leave it out") }
      options.x32 = try policies.disposition(x32)
    }
    options.gate = try values["gate"].map { node throws(ProfileError) in try gate(node, machine) }
    var listed: [ListedCall: Int] = [:]
    (options.allowedNumbers, options.foreignAllowedNumbers) = try calls(values["allowed-calls"], machine, &listed)
    (options.globalTrapNumbers, options.foreignTrapNumbers) = try calls(values["trapped-calls"], machine, &listed)
    if let data = values["trapped-calls-data"] {
      guard values["trapped-calls"] != nil else { throw data.error("there are no 'trapped-calls' that it could be of") }
      options.trapData = try data.data()
    }
    return options
  }

  private static func gate(_ node: ProfileNode, _ machine: Architecture) throws(ProfileError) -> AddressRange {
    let gate = try node.range()
    // A map has the same demands of where code can lie.
    var map = RegionMap(architecture: machine, default: .allow)
    do { try map.insert(gate, .trap) } catch { throw node.error("\(error)") }
    return gate
  }

  /// A call that one of the lists names.
  private struct ListedCall: Hashable {
    let architecture: AuditArchitecture
    let number: UInt32
  }

  /// The numbers of the machine's own architecture, and those of others.
  private static func calls(
    _ list: ProfileNode?, _ machine: Architecture, _ listed: inout [ListedCall: Int]
  ) throws(ProfileError) -> ([UInt32], [AuditArchitecture: [UInt32]]) {
    var numbers: [UInt32] = []
    var foreign: [AuditArchitecture: [UInt32]] = [:]
    for node in try list?.oneOrMore("system calls") ?? [] {
      let (table, number) = try node.call(on: machine)
      let call = ListedCall(architecture: table.architecture, number: number)
      if let line = listed[call] {
        throw node.error("system call \(number) is listed already in line \(line)", remedy: "list a call once")
      }
      listed[call] = node.place.line
      if table.architecture == AuditArchitecture(machine) {
        numbers.append(number)
      } else {
        foreign[table.architecture, default: []].append(number)
      }
    }
    return (numbers, foreign)
  }
}

extension Profile.Entry {
  /// Whether the other entry names code that this one, of the same name, names too.
  fileprivate func repeats(_ other: Self) -> Bool {
    writable == nil || other.writable == nil || writable == other.writable
  }
}
