import CordonShims
import FilterCompiler
import SystemPackage
import TrapEngine

extension Session {
  /// What an active session has besides its regions.
  struct Active: Sendable {
    var armament: Armament
    /// Why this mechanism.
    var reason: String
    /// Changes made since activation.
    var changes: UInt64 = 0
    /// What was trapped and no region asks for any more, perhaps.
    var removed: [IntervalSet.Interval] = []
    private var compactAt = 1024
    /// What the kernel has room for.
    private var room = FilterRoom()

    init(armament: Armament, reason: String) {
      self.armament = armament
      self.reason = reason
    }

    mutating func note(_ journal: ChangeJournal) {
      changes += 1
      for region in journal.removed {
        removed.append(IntervalSet.Interval(region.range.start + 2, region.range.end))
      }
      // Ranges come again and again; what is kept stays about as much as there are different ones.
      if removed.count > compactAt {
        removed = IntervalSet(removed).intervals
        compactAt = max(1024, removed.count * 2)
      }
    }

    /// Attaches to the session's threads what was found to be needed. Where one of several filters is refused, what has
    /// been attached before it is kept in mind.
    mutating func attach(_ arming: Arming) throws(SessionError) {
      switch arming.means {
      case .nothing: return
      case .filters(let proposals):
        let before = armament
        if arming.revokesPermitted { armament.revokePermitted() }
        try attach(proposals, orGoBackTo: before)
      case .dispatch(let plan):
        guard case .dispatch(let before, _, _) = armament.means else { return }
        try plan.replace(before, in: armament)
        armament.note(arming)
      case .changeMechanism(let proposals):
        guard case .dispatch(let before, _, let planner) = armament.means else { return }
        let dispatching = armament
        armament.means = .filters(planner)
        try attach(proposals, orGoBackTo: dispatching)
        // From here on filters trap all that must; a thread that does not answer goes on paying for both.
        if armament.scope == .allThreads { ThreadArming.stopFollowing() }
        try? DispatchPlan.nothing.replace(before, in: dispatching)
        reason = arming.reason
      }
    }

    /// Has every call trap that could unmark memory anywhere.
    mutating func followMemoryEverywhere() throws(SessionError) {
      guard case .filters(let planner) = armament.means else { return }
      // Where everything traps these do already.
      let proposal = armament.trapsEverything ? nil : try planner.propose(CallPattern.unmarking)
      let before = armament
      armament.globalTraps.followEverywhere()
      if let proposal { try attach([proposal], orGoBackTo: before) }
    }

    /// - Parameter before: what there was, in the terms that hold again where a filter is refused.
    private mutating func attach(
      _ proposals: [Planner.Proposal], orGoBackTo before: Armament
    ) throws(SessionError) {
      var attached: [Planner.Proposal] = []
      do throws(SessionError) {
        if armament.scope == .callingThread, armament.filters > 0 { try checkOnlyThread() }
        for proposal in proposals {
          try attach(proposal)
          attached.append(proposal)
        }
      } catch {
        armament = before
        for proposal in attached { armament.note(proposal) }
        throw error
      }
    }

    private mutating func attach(_ proposal: Planner.Proposal) throws(SessionError) {
      // The first filter has what is to trap by number and argument; another one for that traps nothing else.
      let trapsByNumber = armament.filters == 0 ? !armament.globalTraps.patterns.isEmpty : proposal.trapped.isEmpty
      let takesNativeCalls =
        !armament.trapsEverything
        && (trapsByNumber || !proposal.trapped.intersection(LibcCode.pointers).subtracting(armament.armed).isEmpty)
      // An activation has looked already. Nobody is to stand still for a thread that never unblocks it.
      if takesNativeCalls, armament.filters > 0 {
        let blocking = ThreadStatus.threadsBlockingSIGSYS(inAllThreads: armament.scope == .allThreads)
        guard blocking.isEmpty else { throw .signalBlocked(threads: blocking) }
      }
      try proposal.program.load(
        armament.scope, noNewPrivileges: armament.noNewPrivileges, takesNativeCalls: takesNativeCalls)
      armament.note(proposal)
      room.take(proposal.program)
    }

    /// Whether the last filter can still be attached after what was found to be needed.
    mutating func hasRoom(after arming: Arming) -> Bool {
      let proposals = arming.proposals
      if proposals.isEmpty || proposals.contains(where: { $0.widening == .everything }) { return true }
      return room.suffices(for: proposals.map(\.program))
    }

    /// A filter for one thread is inherited by those that it makes, and a second one must be attached to the same.
    private func checkOnlyThread() throws(SessionError) {
      let caller = cordon_thread_id()
      guard caller == armament.thread, let own = ThreadStatus.filterCount(),
        ThreadStatus.allThreads().allSatisfy({ $0 == caller || (ThreadStatus.filterCount(of: $0) ?? 0) < own })
      else { throw .onlyByItsThread(armament.thread) }
    }
  }

  /// The mechanism that an active session uses, and why; nil before activation.
  public var choice: (mechanism: Mechanism, reason: String)? {
    read(nil) { state in state.active.map { ($0.armament.mechanism, $0.reason) } }
  }
}
