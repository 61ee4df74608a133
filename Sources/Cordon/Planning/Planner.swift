import FilterCompiler

/// Decides by what filter the kernel comes to trap what a changed map asks for. Pure: it is told what is so, and says
/// what is to be done.
///
/// Filters only accumulate, and each costs every call some 25 ns. So the order of preference is: nothing, where what is
/// attached traps it already; one filter that takes in what is unmapped; exact filters; and before there are many, one
/// that takes in everything. What a filter traps too much is passed through by the handler.
///
/// A process that is told addresses all over its address space needs four filters at most after the first one, wherever
/// they are and in whatever order: the last of the four takes in all that holds no code. What is told only then is native
/// code that becomes a region. Libraries that are loaded later must not be trapped, so the filters before that leave out
/// where they will be mapped, first a wide room and then a narrow one; the last is attached for a region in the narrow one.
/// Where all that is told lies in such rooms there is no narrow one, and there are three. Libraries that become regions
/// get exact filters of their own besides.
package struct Planner: Sendable {
  /// What the attached filters trap.
  package var armed: IntervalSet
  /// How many the session has attached.
  package var filters: Int
  /// How much more than it had to the widest of them has taken in.
  private var widest = Widening.none
  /// How many of them but the first were attached for code that came to lie where libraries go, and how many for no more
  /// than a library.
  private var amongLibraries = 0
  private var forLibraries = 0
  /// Cordon's own pages, whose calls always pass.
  package let gate: AddressRange
  /// The calls that trap from anywhere else.
  package let globalTraps: [CallPattern]
  /// Numbers whose calls the first filter lets happen wherever they come from: all regions permit them.
  package private(set) var permitted: Set<UInt32>

  package init(
    armed: IntervalSet = IntervalSet(), filters: Int = 0, gate: AddressRange, globalTraps: [CallPattern] = [],
    permitted: Set<UInt32> = []
  ) {
    self.armed = armed
    self.filters = filters
    self.gate = gate
    self.globalTraps = globalTraps
    self.permitted = permitted.subtracting(globalTraps.map(\.number))
  }

  /// A filter that was proved to do what is asked.
  package struct Proposal: Sendable {
    package let program: Program
    package let widening: Widening
    /// What it traps.
    package let trapped: IntervalSet
    package let reason: String
    /// What code it is for.
    fileprivate var subject = Subject.other
  }

  /// What code a filter is for.
  fileprivate enum Subject {
    /// A library's, or the program's own: native code until now.
    case library
    /// What lies where libraries go, and is none.
    case amongLibraries
    case other
  }

  /// The last filter. Two dozen cost a call half as much as being passed through does.
  package static let mostFilters = 24

  /// What must trap and does not.
  package func missing(_ wanted: IntervalSet) -> IntervalSet { wanted.subtracting(armed) }

  /// Keeps what has been attached.
  package mutating func note(_ proposal: Proposal) {
    armed = armed.union(proposal.trapped)
    filters += 1
    if proposal.subject == .amongLibraries { amongLibraries += 1 }
    if proposal.subject == .library, proposal.widening == .none { forLibraries += 1 }
    widest = max(widest, proposal.widening)
  }

  /// Calls of every number are to trap from now on. No filter that lets some happen counts as trapping any.
  package mutating func revokePermitted() {
    armed = IntervalSet()
    permitted = []
  }

  /// The filter that has `missing` trap, too; several where one cannot hold it.
  /// - Parameters:
  ///   - force: no narrower than this; for when the kernel has refused a narrower one.
  ///   - wanted: all that is to trap, this included; asked for only where it matters.
  ///   - view: what is mapped.
  /// - Throws: ``SessionError/unsatisfiable(_:)`` where code and Cordon's own pages overlap.
  package func propose(
    _ missing: IntervalSet, force: Widening? = nil, wanted: () -> IntervalSet, view: some AddressSpaceView
  ) throws(SessionError) -> [Proposal] {
    guard missing.intersection(own).isEmpty else { throw .unsatisfiable("Cordon's own pages cannot trap") }
    let subject = subject(missing, view)
    let preferred = force ?? preference(missing, subject, wanted)
    // What traps everything from a default on has no room to widen.
    let candidates: [Widening] = missing.contains(.max) ? [.none] : Widening.allCases.filter { $0 >= preferred }
    for widening in candidates where widening != .everything {
      let addition = widening == .none ? IntervalSet() : widening.addition(view, armed: armed)
      if var proposal = try proposal(missing, addition, widening) {
        proposal.subject = subject
        return [proposal]
      }
    }
    if force != .everything, preferred != .everything, let several = try several(missing) { return several }
    let addition = Widening.everything.addition(view, armed: armed)
    guard let proposal = try proposal(missing, addition, .everything) else {
      throw .unsatisfiable("no filter traps what it should")
    }
    return [proposal]
  }

  /// A filter that traps calls by number and argument, wherever they come from but the gate; proved.
  /// - Throws: ``SessionError/unsatisfiable(_:)`` where they do not fit into a filter.
  package func propose(_ calls: [CallPattern]) throws(SessionError) -> Proposal {
    let map = RegionMap(default: .allow)
    let options = CompileOptions(gate: gate, globalTrapPatterns: calls, trapData: Session.trapData)
    do {
      let program = try map.compile(options)
      let difference = try Prover.difference(FilterStack([program]), RegionSpecification(map, options))
      if difference == nil {
        return Proposal(
          program: program, widening: .none, trapped: IntervalSet(), reason: "calls trap by their arguments")
      }
    } catch {}
    throw .unsatisfiable("no filter traps the calls that it should")
  }

  /// The instruction pointers of the gate, and of what would straddle its bounds: its bytes make no such instructions.
  private var own: IntervalSet { IntervalSet(instructionsTouching: gate) }

  /// One filter, proved; nil where it does not fit.
  private func proposal(
    _ missing: IntervalSet, _ addition: IntervalSet, _ widening: Widening
  ) throws(SessionError) -> Proposal? {
    // Ranges of code that touch are one, with what straddles the line between them.
    let wanted = (addition.isEmpty ? missing : missing.union(addition)).subtracting(own).withoutSingleGaps
    guard let program = compile(wanted) else { return nil }
    // The proof: what the program does, found from its instructions alone, is what was asked for. In the gate, where it
    // traps nothing, nothing was missing.
    guard let trapped = program.trappedPointers(), trapped == wanted else {
      throw .unsatisfiable("a filter was made that does not do what it should")
    }
    if filters == 0, wanted.intervals.count <= Self.mostProved { try prove(program, wanted) }
    return Proposal(program: program, widening: widening, trapped: trapped, reason: reason(widening))
  }

  /// Proves a first filter for every call: its number, architecture and arguments as well. That takes 35 us for one
  /// region, 70 us for 4 and 0.4 ms for 16; more than a session's later changes have.
  private func prove(_ program: Program, _ wanted: IntervalSet) throws(SessionError) {
    let specification = CoverageSpecification(
      trapped: wanted.intervals.map { $0.first...$0.last }, exempt: permitted.sorted(), patterns: globalTraps,
      gate: gate, trapData: Session.trapData)
    do {
      let found = try Prover.difference(FilterStack([program]), from: specification, like: SeccompData(nr: 0))
      if found == nil { return }
    } catch {}
    throw .unsatisfiable("a filter was made that does not decide every call as it should")
  }
  /// How many intervals a filter may have to be proved so.
  private static let mostProved = 16

  /// Exact filters for parts of it; nil where there would be too many.
  private func several(_ missing: IntervalSet) throws(SessionError) -> [Proposal]? {
    var parts = max(2, missing.intervals.count / Self.mostIntervals + 1)
    while parts <= Self.mostAtOnce {
      var proposals: [Proposal] = []
      let size = (missing.intervals.count + parts - 1) / parts
      for start in stride(from: 0, to: missing.intervals.count, by: size) {
        let part = IntervalSet(Array(missing.intervals[start..<min(start + size, missing.intervals.count)]))
        guard let one = try proposal(part, IntervalSet(), .none) else { break }
        proposals.append(one)
      }
      if proposals.count * size >= missing.intervals.count { return proposals }
      parts *= 2
    }
    return nil
  }

  /// More than any filter can hold: each takes three instructions or four.
  private static let mostIntervals = 1_400
  /// How many exact filters are better than one that traps everything.
  private static let mostAtOnce = 8

  /// How wide the next filter is.
  private func preference(_ missing: IntervalSet, _ subject: Subject, _ wanted: () -> IntervalSet) -> Widening {
    if filters >= Self.mostFilters { return .everything }
    if filters == 0 { return .none }
    // Where the first filter has been revoked, the next one does for all.
    if widest < .clear || armed.isEmpty { return max(.clear, widest) }
    guard Widening.endangersPrograms(missing), widest < .everythingFree else { return .none }
    if subject == .library, filters < Self.mostWithLibraries { return .none }
    switch filters - forLibraries {
    // One region elsewhere is no reason to trap the programs that this process executes.
    case 2: return Widening.isScattered(wanted()) ? .unmapped : .none
    // Where one came to lie among libraries and another one does, more will: no room is left for what goes there.
    case 3: return subject == .amongLibraries && amongLibraries > 0 ? .everythingFree : .nearlyEverythingFree
    default: return .everythingFree
    }
  }

  /// How many filters there may be before libraries that become regions are no reason any more to leave others room.
  private static let mostWithLibraries = 8

  /// What code is to trap, as far as a later filter's width depends on it.
  private func subject(_ missing: IntervalSet, _ view: some AddressSpaceView) -> Subject {
    guard filters > 0, widest < .everythingFree, Widening.endangersPrograms(missing) else { return .other }
    if view.isOfFiles(missing) { return .library }
    return missing.intersection(view.next).isEmpty ? .other : .amongLibraries
  }

  private func reason(_ widening: Widening) -> String {
    switch widening {
    case .none: filters == 0 ? "it is what the regions ask for" : "it lies where nothing attached traps"
    case .clear: "it lies outside what is attached; all that Linux leaves unmapped by itself is taken in"
    case .unmapped: "there are \(filters) filters; all that is unmapped is taken in, but where libraries go"
    case .nearlyEverythingFree:
      "there are \(filters) filters; all that holds no code is taken in, but where the next libraries go"
    case .everythingFree: "there are \(filters) filters; all that holds no code is taken in"
    case .everything: "there are \(filters) filters; everything is taken in"
    }
  }

  /// nil where it does not fit into one filter.
  private func compile(_ wanted: IntervalSet) -> Program? {
    // From the default that says it with fewer regions: what is above user space is one or the other.
    let isInverse = wanted.contains(.max)
    guard wanted.intervals.count <= Self.mostIntervals else { return nil }
    var map = RegionMap(default: isInverse ? Session.trapDisposition : .allow)
    let stated = isInverse ? IntervalSet.everything.subtracting(wanted) : wanted
    for interval in stated.intervals {
      guard interval.first >= 2, let range = try? AddressRange(start: interval.first - 2, end: interval.last),
        (try? map.insert(range, isInverse ? .allow : Session.trapDisposition)) != nil
      else { return nil }
    }
    let options = CompileOptions(
      allowedNumbers: filters == 0 ? permitted.sorted() : [], gate: gate,
      globalTrapPatterns: filters == 0 ? globalTraps : [], trapData: Session.trapData)
    return try? map.compile(options)
  }
}
