internal import CLibSeccomp
internal import FilterCompiler
internal import PolicyShims
internal import SystemPackage

/// One filter that libseccomp builds of rules for calls of one table.
///
/// libseccomp sees the calls of every table as the machine's own: it would translate the numbers of others by name, and
/// rewrite some of them. For the same reason it is given stand-ins for the answers: it refuses those that the
/// kernel it runs on does not know, and rules that answer what is answered anyway.
struct SeccompBuild {
  /// A comparison as libseccomp has it.
  struct Comparison {
    let argument: Int
    let comparison: scmp_compare
    let first: UInt64
    var second: UInt64 = 0
  }

  /// A rule as libseccomp has it.
  struct Rule {
    /// As the table has it, with the mark of x32.
    let number: UInt32
    let comparisons: [Comparison]
    let answer: Action
    /// What it was made from.
    let source: Policy.RuleIndex
  }

  /// How long a build may take: many times what the largest takes that a filter has room for.
  static let milliseconds: UInt32 = 1500

  let name: CallTable
  /// The numbers of the calls that the rules are for.
  let numbers: [UInt32]
  let rules: [Rule]
  /// What becomes of calls with one of the numbers that no rule matches.
  let otherwise: Action

  /// The architecture whose calls all programs take theirs for.
  static var architecture: AuditArchitecture { AuditArchitecture(rawValue: seccomp_arch_native()) }

  /// The program that libseccomp makes of the rules, in a child process, whatever it means.
  func program() throws(PolicyCompileError) -> Program {
    let bytes = try bytes()
    do throws(ProgramError) {
      return try Program(Program(raw: bytes).instructions.map(answered))
    } catch {
      throw failure(.unreadable(error), nil)
    }
  }

  // MARK: Stand-ins for answers

  /// The answers that rules have, each once. What stands for one is the message for a tracer that is its place here plus 1.
  private var answers: [Action] {
    rules.reduce(into: []) { if !$0.contains($1.answer) { $0.append($1.answer) } }
  }

  private func standIn(_ answer: Action, _ answers: [Action]) -> UInt32 {
    Action(.trace, data: UInt16((answers.firstIndex(of: answer) ?? -1) + 1)).rawValue
  }

  /// The instruction with the answer that is meant.
  private func answered(_ instruction: Instruction) -> Instruction {
    guard case .answer(let action)? = try? Operation(instruction), action.kind == .trace else { return instruction }
    let answers = [otherwise] + answers
    guard answers.indices.contains(Int(action.data)) else { return instruction }
    return Operation.answer(answers[Int(action.data)]).instruction
  }

  // MARK: The child

  private func bytes() throws(PolicyCompileError) -> [UInt8] {
    let file = cordon_policy_file()
    guard file >= 0 else { throw failure(.unavailable(-file), nil) }
    let descriptor = FileDescriptor(rawValue: file)
    // Nothing is left to do where a file in memory cannot be closed.
    defer { try? descriptor.close() }
    let outcome = try outcome(descriptor)
    if outcome.stage != PolicyBuildDone {
      let reason = Self.reason(outcome)
      var isOneRule = outcome.stage == PolicyBuildStarted && rules.indices.contains(Int(outcome.rule))
      if case .unavailable = reason { isOneRule = false }
      throw failure(reason, isOneRule ? rules[Int(outcome.rule)].source : nil)
    }
    do {
      return try Self.contents(descriptor)
    } catch {
      throw failure(.unavailable((error as? Errno)?.rawValue ?? 0), nil)
    }
  }

  private static func reason(_ outcome: PolicyBuildOutcome) -> PolicyCompileError.Reason {
    if outcome.stood_still != 0 { return .standstill(milliseconds: milliseconds) }
    if outcome.ended != 0 { return .endless(milliseconds: milliseconds) }
    // No rule is at fault where there is no memory to look at it.
    let memory = Errno.noMemory.rawValue
    return outcome.answer == -memory ? .unavailable(memory) : .refused(-outcome.answer)
  }

  private func outcome(_ descriptor: FileDescriptor) throws(PolicyCompileError) -> PolicyBuildOutcome {
    let answers = answers
    var flat: [PolicyRule] = []
    var comparisons: [PolicyComparison] = []
    for rule in rules {
      flat.append(
        PolicyRule(
          number: Int32(rule.number & 0x3fff_ffff), answer: standIn(rule.answer, answers),
          first_comparison: UInt32(comparisons.count), comparison_count: UInt32(rule.comparisons.count)))
      comparisons += rule.comparisons.map {
        PolicyComparison(
          argument: UInt32($0.argument), comparison: $0.comparison.rawValue, first: $0.first, second: $0.second)
      }
    }
    var outcome = PolicyBuildOutcome()
    let started = cordon_policy_build(
      flat, UInt32(flat.count), comparisons, Action(.trace).rawValue, Self.milliseconds, descriptor.rawValue, &outcome)
    guard started == 0 else { throw failure(.unavailable(CInt(-started)), nil) }
    return outcome
  }

  private static func contents(_ descriptor: FileDescriptor) throws -> [UInt8] {
    let size = Int(try descriptor.seek(offset: 0, from: .end))
    // A little more than a filter has, so that one that is too long is seen to be.
    let wanted = min(size, (Program.maximumLength + 1) * 8)
    return try [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
      while count < wanted {
        let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
        let read = try descriptor.read(fromAbsoluteOffset: Int64(count), into: rest)
        if read == 0 { break }
        count += read
      }
    }
  }

  private func failure(_ reason: PolicyCompileError.Reason, _ rule: Policy.RuleIndex?) -> PolicyCompileError {
    PolicyCompileError(table: name, rule: rule, reason: reason)
  }
}
