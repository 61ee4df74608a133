import FilterCompiler
import SystemPackage
import TestSupport
import Testing

@testable import Cordon

/// The planner over random sequences of changes: after each, the filters attached so far trap every call that the regions
/// ask for and none of the gate's, proved for every address, number and argument. What they trap besides is the handler's to
/// let through, so a change may not ask for more than that.
@Suite struct PlannerTests {
  private static let gate = AddressRange(known: 0x7f00_0010_0000, 0x7f00_0020_0000)

  @Test(arguments: 0..<16)
  func `all that is attached traps what the regions ask for`(_ seed: UInt64) throws {
    var history = History(seed: seed)
    for _ in 0..<15 {
      try history.change()
      let difference = try history.difference()
      try #require(
        difference == nil, "seed \(seed), \(history.planner.filters) filters: \(String(describing: difference))")
      #expect(history.armedIsWhatTheProgramsTrap)
    }
  }

  /// The kernel's own answers are two, so a proof that they trap is a proof that nothing worse becomes of a call.
  @Test(arguments: 0..<8)
  func `filters allow and trap, and do nothing else`(_ seed: UInt64) throws {
    var history = History(seed: seed)
    for _ in 0..<10 { try history.change() }
    for operation in history.programs.flatMap(\.operations) {
      guard case .answer(let action) = operation else { continue }
      #expect(action == Action(.allow) || action == Action(.trap, data: Session.trapData))
    }
  }

  @Test func `Cordon's own pages cannot trap`() throws {
    let own = IntervalSet([IntervalSet.Interval(Self.gate.start + 2, Self.gate.start + 3)])
    let view = GivenAddressSpace()
    for force in [nil] + Widening.allCases.map(Optional.some) {
      #expect(throws: SessionError.unsatisfiable("Cordon's own pages cannot trap")) {
        try Planner(gate: Self.gate).propose(own, force: force, wanted: { own }, view: view)
      }
    }
  }

  /// Every answer takes system calls, and a change waits for them. Once all that holds no code is taken in, none is needed.
  @Test func `what plans ask of the address space`() throws {
    func page(_ start: UInt64) -> IntervalSet { IntervalSet([IntervalSet.Interval(start + 2, start + 0x1000)]) }
    let (program, library, place): (UInt64, UInt64, UInt64) = (0x5_0000_0000, 0x7efe_0000_0000, 0x7eff_ffff_0000)
    let room = IntervalSet([IntervalSet.Interval(0x7eff_f000_0000, 0x7eff_ffff_ffff)])
    let view = AskedAddressSpace(
      answers: GivenAddressSpace(
        code: page(program).union(page(program + 0x2000)), files: page(library), next: room, nearest: room))
    var planner = Planner(gate: Self.gate)
    let steps: [(start: UInt64, questions: [AskedAddressSpace.Question])] = [
      (0x1100_0000_0000, []), (0x4000_0000_0000, [.code, .next]), (library, [.files]),
      (0x6_0000_0000, [.files, .next]), (0x7_0000_0000, [.files, .next, .code, .nearest]),
      (place, [.files, .next, .code]), (program, []), (program + 0x2000, []),
    ]
    for (number, step) in steps.enumerated() {
      let missing = planner.missing(page(step.start))
      for proposal in try planner.propose(missing, wanted: { missing }, view: view) { planner.note(proposal) }
      #expect(view.takeQuestions() == step.questions, "step \(number)")
      #expect(planner.filters == number + 1)
    }
  }

  /// That the proof says no where a filter is a byte short.
  @Test func `a filter that misses an instruction is found`() throws {
    var history = History(seed: 1)
    while history.programs.isEmpty { try history.change() }
    var found = 0
    for (place, operation) in (history.programs.last?.operations ?? []).enumerated() {
      guard case .branch(_, .constant, _, _) = operation, let last = history.programs.last else { continue }
      var instructions = last.instructions
      instructions[place].k ^= 1
      guard let mutant = try? Program(instructions) else { continue }
      let programs = history.programs.dropLast() + [mutant]
      if try history.difference(Array(programs)) != nil { found += 1 }
    }
    #expect(found > 0)
  }

  /// A session's regions as they change, and what the planner has attached for them.
  private struct History {
    var generator: SeededGenerator
    var store = RegionStore(gate: gate)
    var planner: Planner
    var programs: [Program] = []
    let usual: Region.Disposition
    let patterns: [CallPattern]
    /// Native code, and where libraries go: all over the address space.
    let view: GivenAddressSpace

    init(seed: UInt64) {
      generator = SeededGenerator(seed: seed &+ 0x91a)
      usual = seed.isMultiple(of: 4) ? .trap : .allow
      patterns =
        seed.isMultiple(of: 3) ? CallPattern.endangeringSIGSYS + CallPattern.unmarking(in: Widening.clearZones) : []
      planner = Planner(
        gate: gate, globalTraps: patterns, permitted: usual == .allow && seed.isMultiple(of: 5) ? [39, 110] : [])
      var code: [IntervalSet.Interval] = []
      for _ in 0..<12 {
        let start = Self.address(using: &generator) & ~0xfff
        code.append(IntervalSet.Interval(start + 1, start + 0x8001))
      }
      view = GivenAddressSpace(
        code: IntervalSet(code), files: IntervalSet(),
        next: IntervalSet([IntervalSet.Interval(0x7efe_0000_0000, 0x7f00_ffff_ffff)]),
        nearest: IntervalSet([IntervalSet.Interval(0x7eff_f000_0000, 0x7f00_ffff_ffff)]))
    }

    private static func address(using generator: inout SeededGenerator) -> UInt64 {
      let line = UInt64.random(in: 1..<0x7ff0, using: &generator) << 32
      return switch Int.random(in: 0..<5, using: &generator) {
      case 0: line + UInt64.random(in: 0..<64, using: &generator) - 32
      case 1: 0x4000_0000_0000 + UInt64.random(in: 0..<0x2000, using: &generator)
      case 2: gate.start - 0x1000 + UInt64.random(in: 0..<0x800, using: &generator)
      case 3: gate.end + UInt64.random(in: 0..<0x800, using: &generator)
      default: line + UInt64.random(in: 0..<1 << 32, using: &generator)
      }
    }

    /// Regions come, go and change, a few at once, and what is missing is attached.
    mutating func change() throws {
      var change = SessionChange()
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let region = store.regions.randomElement(using: &generator)
        let dispositions: [Region.Disposition] = [.trap, .trap, .error(.noFunction), .kill, .allow]
        let disposition = dispositions.randomElement(using: &generator) ?? .trap
        switch (Int.random(in: 0..<4, using: &generator), region) {
        case (0, .some(let region)): change.remove(region)
        case (1, .some(let region)): change.set(disposition, of: region)
        default:
          let start = Self.address(using: &generator)
          let length = UInt64.random(
            in: 2...([8, 0x100, 0x10000].randomElement(using: &generator) ?? 8), using: &generator)
          change.declare(AddressRange(known: start, start + length), disposition)
        }
      }
      // Some contradict others, or take out one twice: nothing is changed then.
      _ = try? ChangeJournal(change.operations, on: &store)
      let isRevoked = Int.random(in: 0..<8, using: &generator) == 0
      if isRevoked, !programs.isEmpty, !planner.permitted.isEmpty { planner.revokePermitted() }
      let missing = planner.missing(wanted)
      guard !missing.isEmpty else { return }
      for proposal in try planner.propose(missing, wanted: { wanted }, view: view) {
        programs.append(proposal.program)
        planner.note(proposal)
      }
    }

    /// The instruction pointers whose calls must come to the handler.
    var wanted: IntervalSet {
      StepRow(store, default: usual).trapped.subtracting(IntervalSet(instructionsTouching: gate))
    }

    var armedIsWhatTheProgramsTrap: Bool {
      let trapped = programs.reduce(IntervalSet()) { $0.union($1.trappedPointers() ?? IntervalSet()) }
      return planner.armed.subtracting(trapped).isEmpty && wanted.subtracting(planner.armed).isEmpty
    }

    /// A call that is not decided as it is to be.
    func difference(_ programs: [Program]? = nil) throws -> Counterexample? {
      try Prover.difference(FilterStack(programs ?? self.programs), from: specification, like: SeccompData(nr: 0))
    }

    /// What is asked of all that is attached.
    private var specification: CoverageSpecification {
      // Without a filter there are no patterns.
      CoverageSpecification(
        trapped: wanted.intervals.map { $0.first...$0.last }, exempt: planner.permitted.sorted(),
        patterns: programs.isEmpty ? [] : patterns, gate: gate,
        trapData: Session.trapData)
    }
  }
}

/// Notes what it is asked.
private final class AskedAddressSpace: AddressSpaceView {
  enum Question { case code, files, next, nearest }
  private let answers: GivenAddressSpace
  private var questions: [Question] = []

  init(answers: GivenAddressSpace) { self.answers = answers }

  var code: IntervalSet { answer(.code, answers.code) }
  func isOfFiles(_ pointers: IntervalSet) -> Bool { answer(.files, answers.isOfFiles(pointers)) }
  var next: IntervalSet { answer(.next, answers.next) }
  var nearest: IntervalSet { answer(.nearest, answers.nearest) }

  private func answer<Answer>(_ question: Question, _ answer: Answer) -> Answer {
    questions.append(question)
    return answer
  }

  func takeQuestions() -> [Question] {
    defer { questions = [] }
    return questions
  }
}
