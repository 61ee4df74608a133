import CordonShims
import FilterCompiler
import Synchronization
import SystemPackage
import TrapEngine

extension Session {
  /// Arms the session: from the return of this call on, no call of a trapped region by the threads of `scope` passes
  /// without the hook.
  ///
  /// Everything that can be refused is checked or rehearsed before the first step that cannot be undone; where this
  /// throws, the process is as it was before. The one exception is a map of so many regions that it takes several filters,
  /// where a thread attaches one of its own between them: those that are attached stay then, and their calls pass.
  ///
  /// Where the filter traps calls of libc's (the default `.trap`, an option, libc itself as a region), all other threads are
  /// stopped for a moment (``Scope/allThreads``): outside of those in which libc has every signal blocked, since the kernel
  /// kills who traps then. A call that a thread waits in goes on, or ends with EINTR where the kernel does not restart it
  /// after a handler (epoll_wait, ppoll, pause).
  /// - Throws: ``SessionError``: ``SessionError/missingHook``, ``SessionError/nothingTraps``,
  ///   ``SessionError/alreadyActivated``, ``SessionError/anotherSessionActive``, ``SessionError/signalBlocked(threads:)``,
  ///   ``SessionError/unsatisfiable(_:)``, ``SessionError/inexpressible(_:reason:)``, ``SessionError/filterRefused(_:)``,
  ///   ``SessionError/threadNotSynchronized(_:)``, ``SessionError/threadNotStopped(_:_:)``,
  ///   ``SessionError/threadsNotListed(_:)``, ``SessionError/threadNotArmed(_:_:)``,
  ///   ``SessionError/threadsNotFollowed``, ``SessionError/memory(_:)``, ``SessionError/changeInProgress``.
  public func activate(for scope: Scope = .callingThread) throws(SessionError) {
    try state.withLock { state throws(SessionError) in
      guard !state.isActive else { throw .alreadyActivated }
      let marksOnly = options.contains(.memoryMapCalls) ? Session.signalHook : nil
      guard let hook = state.hook ?? marksOnly else { throw .missingHook }
      let row = StepRow(state.store, default: state.usual)
      guard !row.trapped.isEmpty || marksOnly != nil else { throw .nothingTraps }
      guard cordon_engine_is_installed() == 0 else { throw .anotherSessionActive }
      let blocking = ThreadStatus.threadsBlockingSIGSYS(inAllThreads: scope == .allThreads)
      guard blocking.isEmpty else { throw .signalBlocked(threads: blocking) }

      // So that code which is mapped later lies where a filter traps already. Dispatch has one range, and none to spare.
      if !mechanism.isPerThread, state.usual == .allow, state.arena == nil { state.arena = Arena() }
      var choices = mechanism == .automatic ? state.choices(options) : [(mechanism, "it was asked for")]
      let (chosen, reason) = choices.removeFirst()
      do throws(SessionError) {
        state.active = try activate(state, row, hook, chosen, reason, scope)
      } catch {
        guard let (other, reason) = choices.first else { throw error }
        switch error {
        case .threadsNotFollowed, .threadNotArmed: break
        default: throw error
        }
        state.active = try activate(state, row, hook, other, "\(reason), since \(error)", scope)
      }
      activated.store(true, ordering: .releasing)
      try? self.state.keepOverFork()
    }
  }

  private func activate(
    _ state: State, _ row: StepRow, _ hook: TrapHook, _ mechanism: Mechanism, _ reason: String, _ scope: Scope
  ) throws(SessionError) -> Active {
    let gate = state.gate
    let globalTraps = state.globalTraps(options)
    let planner = Planner(
      gate: gate, globalTraps: globalTraps.patterns,
      permitted: state.usual == .allow ? state.store.permittedNumbers(by: row) : [])
    var armament = Armament(
      means: .filters(planner), scope: scope,
      thread: cordon_thread_id(), noNewPrivileges: noNewPrivileges, isAutomatic: self.mechanism == .automatic,
      globalTraps: globalTraps, gate: gate)
    let arming: Arming?
    if mechanism == .seccomp {
      let wanted = state.everythingTrapped
      arming = try Arming(armament, missing: wanted, wanted: { wanted }, view: OwnAddressSpace())
    } else {
      arming = nil
      armament.means = .dispatch(
        try DispatchPlan(mechanism: mechanism, trapping: state.dispatchTrapped(row), gate: gate), mechanism,
        Planner(gate: gate))
    }

    var configuration = configuration(state, hook)
    if case .dispatch(let plan, _, _) = armament.means { configuration.dispatch = plan.engineDispatch }
    configuration.dispatch_follows = mechanism.isPerThread && scope == .allThreads ? 1 : 0
    let installed = cordon_engine_install(&configuration)
    guard installed == 0 else {
      throw installed == -16 ? .anotherSessionActive : .memory(Errno(rawValue: Int32(-installed)))
    }
    var active = Active(armament: armament, reason: reason)
    do throws(SessionError) {
      // One of several filters that is refused leaves the others attached.
      guard arming.map({ $0.proposals.count == 1 || active.hasRoom(after: $0) }) ?? true else {
        throw .filterRefused(.noMemory)
      }
      try Session.tell([row], naming: state.store.regions)
      if let arming {
        // From here on trapped code does not get it blocked: a later filter may need all threads to answer.
        if scope == .allThreads { _ = cordon_requests_take_signal() }
        try active.attach(arming)
      } else if case .dispatch(let plan, _, _) = armament.means {
        try plan.arm(scope)
      }
    } catch {
      guard active.armament.filters > 0 else {
        cordon_engine_uninstall()
        throw error
      }
      // What they trap goes on coming to the handler, which passes it.
      try? Session.tell([StepRow(RegionStore(gate: gate), default: .allow)], naming: [])
      throw error
    }
    return active
  }

  /// What the engine needs to know of the session whatever the mechanism.
  private func configuration(_ state: State, _ hook: TrapHook) -> CordonConfiguration {
    var configuration = CordonConfiguration()
    (configuration.hook, configuration.hook_context) = hook.engineHook()
    configuration.trap_data = Session.trapData
    if options.contains(.memoryMapCalls) {
      configuration.memory_hook = Session.memoryHook
      configuration.memory_context = Unmanaged.passRetained(self).toOpaque()
      configuration.memory_start = state.arena?.range.start ?? 0
      configuration.memory_end = state.arena?.range.end ?? 0
    }
    // What holds until the table is made, a moment later; never freed, as one that a handler may read.
    let first = UnsafeMutablePointer<CordonStep>.allocate(capacity: 1)
    first.initialize(to: CordonStep(first: 0, region: UInt32.max, disposition: state.store.code(state.usual)))
    configuration.steps = UnsafePointer(first)
    configuration.step_count = 1
    return configuration
  }

  /// Where Cordon's own calls come from, which always pass.
  static func gate() throws(SessionError) -> AddressRange {
    var start: UInt64 = 0
    var end: UInt64 = 0
    cordon_engine_gate(&start, &end)
    do { return try AddressRange(start: start, end: end) } catch { throw .region(error) }
  }
}

extension Session.State {
  /// What traps by number and argument.
  func globalTraps(_ options: Session.Options) -> GlobalTraps {
    let marked = store.regions.filter { marks.contains($0.serial) }.map(\.range)
    return GlobalTraps(options, arena: arena?.range, marked: marked)
  }

  /// What dispatch has to cover: what traps, and of the arena all, where that is in use and nothing lies outside it.
  func dispatchTrapped(_ row: StepRow) -> IntervalSet {
    guard let arena, usual == .allow else { return trapped(row) }
    let own = IntervalSet([arena.pointers])
    return row.trapped.subtracting(own) == row.trapped ? row.trapped : row.trapped.union(own)
  }

  /// The mechanisms that would do, the best one first, each with the reason.
  func choices(_ options: Session.Options) -> [(Mechanism, String)] {
    func filters(_ reason: String) -> [(Mechanism, String)] { [(.seccomp, "a filter, since \(reason)")] }
    guard options.isEmpty else {
      return filters("calls are to trap by their numbers, wherever they come from")
    }
    guard usual == .allow else {
      return filters("everything traps but what is allowed, on both sides of Cordon's own pages")
    }
    guard let arena else { return filters("the regions do not lie in one block") }
    let outside = StepRow(store, default: usual).trapped.subtracting(IntervalSet([arena.pointers]))
    guard outside.isEmpty else { return filters("not all regions lie in the session's own block") }
    if let reason = Mechanism.sudInclusive.unavailability() { return filters(reason) }
    let all: (Mechanism, String) = (
      .sudInclusive,
      "all regions lie in one block, and this kernel can dispatch one range: what lies elsewhere pays for a comparison"
    )
    return [all] + filters("threads cannot be followed")
  }
}
