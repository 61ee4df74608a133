public import FilterCompiler
import SystemPackage
import TrapEngine

extension Session {
  /// Makes a change of any number of parts, all of them or none.
  ///
  /// When this returns, no call from a new trapped region passes without the hook, by any thread that the session was
  /// activated for; and no call of code outside the regions reaches it. Calls made meanwhile are judged by the regions as
  /// they were before or as they are after all of the change (``Trap/generation``). Before ``activate(for:)`` it just says
  /// what the session will begin with.
  ///
  /// It may be called from any thread and in a hook. Changes wait for each other, with their threads' signals held back;
  /// the one exception is a hook that interrupts a change of its own thread, since libc's calls trap: that is told
  /// ``SessionError/changeInProgress``. A process that is made by fork(3) has a session of its own, as it was then; one
  /// that is made by a bare fork(2) too, but while another thread was in the middle of a change it cannot change it.
  ///
  /// - Parameter body: says what the change is; nothing has happened yet when it returns.
  /// - Returns: The regions that the change declares, in order.
  /// - Throws: What is wrong with the change: ``SessionError/region(_:)``, ``SessionError/noSuchRegion(_:)``,
  ///   ``SessionError/policy(_:reason:)``; what keeps
  ///   it from being made: ``SessionError/filterRefused(_:)``, ``SessionError/threadNotSynchronized(_:)``,
  ///   ``SessionError/threadNotArmed(_:_:)``, ``SessionError/inexpressible(_:reason:)``,
  ///   ``SessionError/onlyByItsThread(_:)``, ``SessionError/signalBlocked(threads:)``,
  ///   ``SessionError/threadNotStopped(_:_:)``, ``SessionError/threadsNotListed(_:)``, ``SessionError/memory(_:)``,
  ///   ``SessionError/unsatisfiable(_:)``, ``SessionError/changeInProgress``. The session is as it was then; filters that were
  ///   attached before one was refused stay, and what they trap passes.
  @discardableResult
  public func change(_ body: (inout SessionChange) -> Void) throws(SessionError) -> [Region] {
    var change = SessionChange()
    body(&change)
    return try state.withLock { state throws(SessionError) in try state.make(change.operations) }
  }

  /// What ``change(_:)`` would do to have the kernel trap what it must, and at what price; nothing is done. Before
  /// activation: what that would do, for all threads.
  /// - Throws: As ``change(_:)``, as far as that is known without doing it.
  public func plan(_ body: (inout SessionChange) -> Void) throws(SessionError) -> Plan {
    var change = SessionChange()
    body(&change)
    return try state.withLock { state throws(SessionError) in
      // Arenas and regions are values: what is changed here is a copy.
      var state = state
      try state.store.supposePolicies(of: change.operations)
      let journal = try ChangeJournal(change.operations, on: &state.store)
      guard let active = state.active else {
        let globalTraps = state.globalTraps(options)
        let armament = Armament(
          means: .filters(Planner(gate: state.gate, globalTraps: globalTraps.patterns)), scope: .allThreads,
          thread: 0, noNewPrivileges: noNewPrivileges, isAutomatic: false, globalTraps: globalTraps, gate: state.gate)
        let wanted = state.everythingTrapped
        return try Arming(armament, missing: wanted, wanted: { wanted }, view: OwnAddressSpace()).plan(for: armament)
      }
      return try state.arming(for: state.rows(journal), active).plan(for: active.armament)
    }
  }

  /// Traps the calls of the instructions that lie wholly inside `range`, which need not be mapped yet.
  /// - Throws: ``SessionError/region(_:)`` for a range above user space (x86-64: 2^47), too short for an instruction, or
  ///   overlapping a region of another disposition; and as ``change(_:)``.
  @discardableResult
  public func trap(_ range: AddressRange) throws(SessionError) -> Region { try declare(range, .trap) }

  /// Allows the calls of the instructions that lie wholly inside `range`: for sessions whose default is `.trap`.
  /// - Throws: as ``trap(_:)``.
  @discardableResult
  public func allow(_ range: AddressRange) throws(SessionError) -> Region { try declare(range, .allow) }

  /// Declares a region, which need not be mapped yet.
  /// - Throws: as ``trap(_:)``.
  @discardableResult
  public func declare(_ range: AddressRange, _ disposition: Region.Disposition) throws(SessionError) -> Region {
    let declared = try state.withLock { state throws(SessionError) in
      try state.make([.declare(range, disposition)])
    }
    return declared[0]
  }

  /// The session no longer has the region. What is mapped there stays mapped; its code, or other code that comes to lie
  /// there, gets the session's default. A filter that traps it nevertheless cannot be taken off: such calls are passed
  /// through, and counted (``Statistics/unasked``).
  /// - Throws: ``SessionError/noSuchRegion(_:)``, and as ``change(_:)``.
  public func remove(_ region: Region) throws(SessionError) {
    _ = try state.withLock { state throws(SessionError) in try state.make([.remove(region)]) }
  }

  /// Gives a region's calls another disposition.
  /// - Throws: ``SessionError/noSuchRegion(_:)``; ``SessionError/region(_:)`` where another region that has the former one
  ///   overlaps it; and as ``change(_:)``.
  public func set(_ disposition: Region.Disposition, of region: Region) throws(SessionError) {
    _ = try state.withLock { state throws(SessionError) in try state.make([.set(region, disposition)]) }
  }
}

extension Session.State {
  /// All that is to come to the handler: what the regions ask for, and the arena. Never the gate, whatever the default.
  var everythingTrapped: IntervalSet {
    let trapped = trapped(StepRow(store, default: usual))
    guard let arena, usual == .allow else { return trapped }
    return trapped.union(IntervalSet([arena.pointers]))
  }

  func trapped(_ row: StepRow) -> IntervalSet {
    usual == .allow ? row.trapped : row.trapped.subtracting(IntervalSet(instructionsTouching: gate))
  }

  /// What the handler's table gets, for the stretches of code that a change is about.
  func rows(_ journal: ChangeJournal) -> [StepRow] {
    journal.stretches.map { StepRow(store, $0.lowerBound, $0.upperBound, default: usual) }
  }

  /// What has to be attached for rows of the table.
  func arming(for rows: [StepRow], _ active: Session.Active, force: Widening? = nil) throws(SessionError) -> Arming {
    var wanted = IntervalSet()
    for row in rows {
      for interval in trapped(row).intervals { wanted.append(interval.first, interval.last) }
    }
    if !active.armament.permitted.isEmpty, !rows.allSatisfy({ store.permits(active.armament.permitted, by: $0) }) {
      var armament = active.armament
      armament.revokePermitted()
      return try Arming(
        armament, missing: everythingTrapped, force: force, revokesPermitted: true, wanted: { everythingTrapped },
        view: OwnAddressSpace())
    }
    let missing = wanted.isEmpty ? wanted : wanted.subtracting(active.armament.armed)
    return try Arming(
      active.armament, missing: missing, force: force, wanted: { everythingTrapped }, view: OwnAddressSpace())
  }

  /// Makes a change: first the kernel traps what it must, then the handler is told; a call in between is passed through.
  mutating func make(_ operations: [SessionChange.Operation]) throws(SessionError) -> [Region] {
    try store.learnPolicies(of: operations)
    let journal = try ChangeJournal(operations, on: &store)
    guard var active else {
      for region in journal.removed { store.release(region.index) }
      return journal.declared
    }
    do throws(SessionError) {
      let rows = rows(journal)
      var arming = try arming(for: rows, active)
      // Where all is trapped but for some, the child that looks would be trapped itself.
      if usual == .allow, !active.hasRoom(after: arming) {
        arming = try self.arming(for: rows, active, force: .everything)
      }
      if case .nothing = arming.means {
      } else {
        do throws(SessionError) {
          try active.attach(arming)
        } catch .filterRefused(.noMemory) where active.armament.mechanism == .seccomp {
          // The kernel's budget is used up. The filter that traps everything is the shortest one.
          arming = try self.arming(for: rows, active, force: .everything)
          try active.attach(arming)
        }
      }
      try Session.tell(rows, naming: journal.declared)
    } catch {
      journal.undo(on: &store)
      // Filters that have been attached stay: the last of several may have been refused, or the handler not told.
      self.active = active
      throw error
    }
    for region in journal.removed { store.release(region.index) }
    active.note(journal)
    self.active = active
    return journal.declared
  }
}

extension Session {
  /// Has the handler judge by these rows from now on.
  /// - Throws: ``SessionError/memory(_:)``; nothing has changed then.
  static func tell(_ rows: [StepRow], naming regions: [Region]) throws(SessionError) {
    let names = regions.map { region in
      CordonNaming(
        region: UInt32(region.index), reserved: 0,
        record: CordonRegionRecord(start: region.range.start, end: region.range.end, serial: region.serial))
    }
    let steps = rows.count == 1 ? rows[0].steps : rows.flatMap(\.steps)
    let result = steps.withUnsafeBufferPointer { steps in
      var next = steps.baseAddress
      let edits = rows.map { row in
        defer { next = next.map { $0 + row.steps.count } }
        return CordonEdit(first: row.first, last: row.last, steps: next, step_count: UInt64(row.steps.count))
      }
      return cordon_table_change(edits, UInt64(edits.count), names, UInt64(names.count))
    }
    guard result == 0 else { throw .memory(Errno(rawValue: Int32(-result))) }
  }
}
