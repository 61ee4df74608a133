internal import FilterCompiler

/// The policies of a profile: those that have names, and those that stand where a disposition is expected.
///
/// A policy is compiled when it is first used, so that one that nothing uses costs nothing.
struct ProfilePolicies {
  /// A policy that has been read, for errors that come later.
  struct Declaration {
    let policy: Policy
    let node: ProfileNode
    /// Where each rule's call stands.
    let places: [Policy.RuleIndex: ProfileNode]
  }

  /// More than anyone has, and few enough that a profile is compiled in reasonable time.
  static let most = 64

  private let machine: Architecture
  private var named: [String: Declaration] = [:]
  private var bodies: [Policy: PolicyBody] = [:]
  private var used = 0

  /// Reads the section `policies` of a profile for code of `machine`.
  init(_ section: ProfileNode?, _ machine: Architecture) throws(ProfileError) {
    self.machine = machine
    let isName = { (text: String) in
      !text.isEmpty
        && text.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || "0123456789-_.".contains(Character($0)) }
    }
    for (key, node) in try section?.pairs("policies, each with its name") ?? [] {
      let name = try key.scalar("the name of a policy")
      guard isName(name) else {
        throw key.error("'\(name)' is no name for a policy", remedy: "letters, digits, '-', '_' and '.' make one")
      }
      named[name] = try PolicyReader(machine: machine).declaration(node, name: name)
    }
  }

  /// A disposition: one word of them, `policy NAME`, or the policy itself.
  mutating func disposition(_ node: ProfileNode) throws(ProfileError) -> Disposition {
    if node.isMapping {
      return .policy(
        try body(PolicyReader(machine: machine).declaration(node, name: "of line \(node.place.line)"), node))
    }
    let words = try node.scalar("a disposition").split(separator: " ", omittingEmptySubsequences: true).map(String.init)
    guard words.first == "policy" else { return try node.disposition() }
    guard words.count == 2 else {
      throw node.error(
        "'policy' says which one", remedy: "for example 'policy reader'; the section 'policies' has them")
    }
    guard let declaration = named[words[1]] else {
      let near = NearNames.of(words[1], among: Array(named.keys)).first
      throw node.error(
        "there is no policy '\(words[1])'",
        remedy: near.map { "did you mean '\($0)'?" } ?? "the section 'policies' gives policies their names")
    }
    return .policy(try body(declaration, node))
  }

  private mutating func body(_ declaration: Declaration, _ user: ProfileNode) throws(ProfileError) -> PolicyBody {
    if let known = bodies[declaration.policy] { return known }
    used += 1
    guard used <= Self.most else { throw user.error("a profile uses at most \(Self.most) policies") }
    do throws(PolicyCompileError) {
      let body = try PolicyBody(compiling: declaration.policy)
      bodies[declaration.policy] = body
      return body
    } catch {
      let place = error.rule.flatMap { declaration.places[$0] } ?? declaration.node
      var failure = place.error("\(error.reason)", remedy: Self.remedy(error.reason))
      if case .unavailable = error.reason { failure.isOfMachine = true }
      throw failure
    }
  }

  private static func remedy(_ reason: PolicyCompileError.Reason) -> String {
    switch reason {
    case .rule(.tooManyTests):
      "compare for equality or with a mask, or let ranges start and end at multiples of large powers of two"
    case .rule, .refused, .endless, .unreadable, .body:
      "say it in other words: fewer rules for the call, or simpler ones"
    case .standstill: "something has stopped the process in which policies are compiled: compile the profile again"
    case .unavailable:
      "policies are compiled in a process of their own: is there a limit on processes, memory or open files?"
    }
  }
}
