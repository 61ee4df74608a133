import FilterCompiler

/// What is attached to the threads of an active session, and who they are.
struct Armament: Sendable {
  enum Means: Sendable {
    case filters(Planner)
    /// With the filters that a change over to them has left behind where it failed.
    case dispatch(DispatchPlan, Mechanism, Planner)
  }
  var means: Means
  let scope: Session.Scope
  /// The thread that activated the session; the only one that has it, where the scope is that.
  let thread: Int32
  let noNewPrivileges: Session.NoNewPrivileges
  /// Whether it may go over from dispatch to filters.
  let isAutomatic: Bool
  /// The calls that trap from anywhere.
  var globalTraps: GlobalTraps
  let gate: AddressRange
  /// Whether programs that are executed from now on may be loaded where a filter traps.
  var endangersPrograms = false
  /// Whether the last filter is attached.
  var trapsEverything = false

  /// The instruction pointers whose calls come to the handler.
  var armed: IntervalSet {
    switch means {
    case .filters(let planner): planner.armed
    case .dispatch(let plan, _, let planner): plan.dispatched.union(planner.armed)
    }
  }

  /// Numbers whose calls happen wherever they come from.
  var permitted: Set<UInt32> {
    if case .filters(let planner) = means { planner.permitted } else { [] }
  }

  /// Has calls of every number trap from the next filter on.
  mutating func revokePermitted() {
    guard case .filters(var planner) = means else { return }
    planner.revokePermitted()
    means = .filters(planner)
  }

  var mechanism: Mechanism {
    switch means {
    case .filters: .seccomp
    case .dispatch(_, let mechanism, _): mechanism
    }
  }

  /// What has been attached, and decides on the next filter.
  var planner: Planner {
    switch means {
    case .filters(let planner), .dispatch(_, _, let planner): planner
    }
  }

  var filters: Int { planner.filters }

  /// What an untrapped call costs more than without a session, in nanoseconds.
  var price: Double {
    switch means {
    case .filters(let planner):
      CallPrice.filters(planner.filters) + (trapsEverything ? CallPrice.passedThrough : 0)
    case .dispatch(_, let mechanism, let planner):
      CallPrice.dispatch(mechanism) + CallPrice.filters(planner.filters)
    }
  }
}

/// What is to be attached, found and proved before anything is.
struct Arming: Sendable {
  enum Means: Sendable {
    case nothing
    case filters([Planner.Proposal])
    case dispatch(DispatchPlan)
    /// From dispatch to filters.
    case changeMechanism([Planner.Proposal])
  }
  let means: Means
  let reason: String
  let nativeCodeCaught: [AddressRange]
  /// Whether calls are to trap that the first filter lets happen by their number.
  let revokesPermitted: Bool

  /// What it takes to have `missing` trap, too, of which nothing does.
  /// - Parameter wanted: all that is to trap, asked for only where it matters.
  /// - Throws: ``SessionError/unsatisfiable(_:)``, ``SessionError/inexpressible(_:reason:)``.
  init(
    _ armament: Armament, missing: IntervalSet, force: Widening? = nil, revokesPermitted: Bool = false,
    wanted: () -> IntervalSet, view: some AddressSpaceView
  ) throws(SessionError) {
    self.revokesPermitted = revokesPermitted
    var caught: IntervalSet?
    guard !missing.isEmpty else {
      means = .nothing
      reason = "it lies where what is attached traps already"
      nativeCodeCaught = []
      return
    }
    switch armament.means {
    case .filters(let planner):
      let proposals = try planner.propose(missing, force: force, wanted: wanted, view: view)
      means = .filters(proposals)
      reason = revokesPermitted ? "a filter lets calls happen by their number that are to trap" : proposals[0].reason
      if proposals.contains(where: { $0.widening == .everything }) {
        caught = view.code.subtracting(planner.armed).subtracting(wanted())
      }
    case .dispatch(_, let mechanism, let planner):
      do throws(SessionError) {
        guard !armament.isAutomatic else { throw .inexpressible(mechanism, reason: "") }
        means = .dispatch(try DispatchPlan(mechanism: mechanism, trapping: wanted(), gate: armament.gate))
        reason = "it lies outside the range that is dispatched"
      } catch {
        guard armament.isAutomatic else { throw error }
        let all = wanted().union(armament.armed)
        let proposals = try planner.propose(
          all.subtracting(planner.armed), force: force, wanted: { all }, view: view)
        means = .changeMechanism(proposals)
        reason = "it lies outside the one range that dispatch has"
      }
    }
    nativeCodeCaught = (caught ?? IntervalSet()).intervals.compactMap { interval in
      try? AddressRange(start: interval.first - 1, end: interval.last - 1)
    }
  }

  var proposals: [Planner.Proposal] {
    switch means {
    case .filters(let proposals), .changeMechanism(let proposals): proposals
    case .nothing, .dispatch: []
    }
  }

  /// As a user is told it.
  func plan(for armament: Armament) -> Plan {
    var after = armament
    after.note(self)
    let step: Plan.Step =
      switch means {
      case .nothing: .place
      case .dispatch: .dispatch
      case .changeMechanism: .changeMechanism
      case .filters(let proposals):
        switch proposals.map(\.widening).max() ?? .none {
        case .none: .add
        case .clear, .unmapped, .nearlyEverythingFree, .everythingFree: .widen
        case .everything: .degrade
        }
      }
    return Plan(
      step: step, reason: reason, filters: proposals.count,
      instructions: proposals.reduce(0) { $0 + $1.program.instructions.count }, nativeCodeCaught: nativeCodeCaught,
      endangersPrograms: after.endangersPrograms, nanosecondsBefore: armament.price, nanosecondsAfter: after.price)
  }
}

extension Armament {
  /// Keeps what has been attached.
  mutating func note(_ arming: Arming) {
    switch arming.means {
    case .nothing: break
    case .dispatch(let plan): means = .dispatch(plan, mechanism, planner)
    case .filters(let proposals):
      for proposal in proposals { note(proposal) }
    case .changeMechanism(let proposals):
      means = .filters(planner)
      for proposal in proposals { note(proposal) }
    }
  }

  mutating func note(_ proposal: Planner.Proposal) {
    var planner = self.planner
    planner.note(proposal)
    switch means {
    case .filters: means = .filters(planner)
    case .dispatch(let plan, let mechanism, _): means = .dispatch(plan, mechanism, planner)
    }
    if proposal.widening == .everything { trapsEverything = true }
    if Widening.endangersPrograms(proposal.trapped) || globalTraps.endangersPrograms { endangersPrograms = true }
  }
}
