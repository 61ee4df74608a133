import FilterCompiler
import TestSupport

/// A random filter and calls for it, which come from one number, and what the judges make of them.
struct FuzzedCase {
  /// Who decides calls, besides the sentence that defines the filter.
  enum Judge: CaseIterable {
    case simulator, socket, seccomp

    var name: String {
      switch self {
      case .simulator: "the simulator"
      case .socket: "the kernel's BPF machine, asked through a socket"
      case .seccomp: "the kernel's seccomp"
      }
    }

    /// The verdicts on calls, in their order; nil for those that this judge cannot be asked about.
    func verdicts(of program: Program, on calls: [SeccompData]) throws -> [Action?] {
      switch self {
      case .simulator: return calls.map { program.evaluate($0).action }
      case .socket:
        let judge = try FilterJudge(program)
        return try calls.map { try judge.verdict($0) }
      case .seccomp:
        let made = calls.indices.filter { SeccompJudge.canMake(calls[$0]) }
        var verdicts = [Action?](repeating: nil, count: calls.count)
        for (index, verdict) in zip(made, try SeccompJudge.verdicts(of: program, on: made.map { calls[$0] })) {
          verdicts[index] = verdict
        }
        return verdicts
      }
    }
  }

  /// A call that a judge decides otherwise than the filter's definition.
  struct Difference: Error {
    let judge: Judge
    let call: SeccompData
    let verdict: Action
    let expected: Action
  }

  let seed: UInt64
  let filter: FuzzedFilter
  let calls: [SeccompData]
  /// What is to be judged; the compiler itself, but where a test shows that mistakes are found.
  let compile: (FuzzedFilter) throws -> Program

  init(
    seed: UInt64, _ architecture: Architecture = .x86_64, calls count: Int = 64, withPolicies: Bool = true,
    compile: @escaping (FuzzedFilter) throws -> Program = { try $0.compiled() }
  ) {
    var generator = SeededGenerator(seed: seed)
    self.seed = seed
    filter = FuzzedFilter(architecture, withPolicies: withPolicies, using: &generator)
    calls = filter.calls(count: count, using: &generator)
    self.compile = compile
  }

  /// How many of the calls were decided, alike and as defined, by all judges.
  ///
  /// - Throws: ``Difference`` for the first that was not.
  func judged() throws -> Int {
    let program = try compile(filter)
    // Where anything may be decided, the judges still decide alike.
    let expected = calls.map { filter.verdict(on: $0) ?? program.evaluate($0).action }
    var judged = calls.count
    for judge in Judge.allCases {
      let verdicts = try judge.verdicts(of: program, on: calls)
      for (index, verdict) in verdicts.enumerated() {
        guard let verdict, verdict != expected[index] else { continue }
        throw Difference(judge: judge, call: calls[index], verdict: verdict, expected: expected[index])
      }
      judged = min(judged, verdicts.count { $0 != nil })
    }
    return judged
  }

  /// The least that can be left of the filter so that the judge still decides the call otherwise than defined.
  func reduced(_ difference: Difference) -> FuzzedFilter {
    func isWrong(_ filter: FuzzedFilter) -> Bool {
      guard let expected = filter.verdict(on: difference.call), let program = try? compile(filter),
        let verdicts = try? difference.judge.verdicts(of: program, on: [difference.call]), let verdict = verdicts[0]
      else { return false }
      return verdict != expected
    }
    var least = filter
    while let smaller = least.reductions.first(where: isWrong) { least = smaller }
    return least
  }
}

extension FuzzedFilter {
  /// The filter without one of its parts, for each of them.
  fileprivate var reductions: [FuzzedFilter] {
    var reductions: [FuzzedFilter] = []
    func add(_ change: (inout FuzzedFilter) -> Void) {
      var filter = self
      change(&filter)
      reductions.append(filter)
    }
    for index in code.indices { add { $0.code.remove(at: index) } }
    for index in empty.indices { add { $0.empty.remove(at: index) } }
    for index in options.allowedNumbers.indices { add { $0.options.allowedNumbers.remove(at: index) } }
    for index in options.globalTrapNumbers.indices { add { $0.options.globalTrapNumbers.remove(at: index) } }
    for index in options.foreignAllowedNumbers[.i386, default: []].indices {
      add { $0.options.foreignAllowedNumbers[.i386]?.remove(at: index) }
    }
    for index in options.foreignTrapNumbers[.i386, default: []].indices {
      add { $0.options.foreignTrapNumbers[.i386]?.remove(at: index) }
    }
    if options.x32 != nil { add { $0.options.x32 = nil } }
    if options.gate != nil { add { $0.options.gate = nil } }
    if options.checkedArchitectures != nil { add { $0.options.checkedArchitectures = nil } }
    return reductions + withFewerRules
  }
}
