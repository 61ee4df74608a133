import CordonShims
import FilterCompiler
import Glibc
import Synchronization
import SystemPackage
import TrapEngine

extension Session {
  /// Arms the session: from the return of this call on, no call of a trapped region by the threads of `scope` passes
  /// without the hook.
  ///
  /// Everything that can be refused is checked or rehearsed before the first step that cannot be undone; where this
  /// throws, the process is as it was before.
  /// - Throws: ``SessionError``: ``SessionError/missingHook``, ``SessionError/nothingTraps``,
  ///   ``SessionError/alreadyActivated``, ``SessionError/anotherSessionActive``, ``SessionError/signalBlocked(threads:)``,
  ///   ``SessionError/compilation(_:)``, ``SessionError/inexpressible(_:reason:)``, ``SessionError/filterRefused(_:)``,
  ///   ``SessionError/overBudget(needed:attached:)``,
  ///   ``SessionError/threadNotSynchronized(_:)``, ``SessionError/threadNotArmed(_:_:)``,
  ///   ``SessionError/threadsNotFollowed``, ``SessionError/memory(_:)``.
  public func activate(for scope: Scope = .callingThread) throws(SessionError) {
    try state.withLock { state throws(SessionError) in
      guard !state.isActive else { throw .alreadyActivated }
      guard let hook = state.hook else { throw .missingHook }
      let map = try state.finalMap(gate: Session.gate())
      guard
        map.defaultDisposition == Session.trapDisposition
          || map.regions.contains(where: { $0.disposition == Session.trapDisposition })
      else { throw .nothingTraps }
      guard cordon_engine_is_installed() == 0 else { throw .anotherSessionActive }
      let blocking = ThreadStatus.threadsBlockingSIGSYS(inAllThreads: scope == .allThreads)
      guard blocking.isEmpty else { throw .signalBlocked(threads: blocking) }

      let arming = try Arming(mechanism: mechanism, map: map, gate: Session.gate())

      let regions = Session.immortal(state.regions)
      let steps = try StepTable(map: map, regions: state.regions).publish()
      let (function, context) = hook.engineHook(regions: regions)
      var configuration = CordonConfiguration()
      configuration.steps = steps.baseAddress
      configuration.step_count = UInt64(steps.count)
      configuration.hook = function
      configuration.hook_context = context
      configuration.trap_data = Session.trapData
      configuration.dispatch = arming.dispatch
      configuration.dispatch_follows = mechanism.isPerThread && scope == .allThreads ? 1 : 0
      let installed = cordon_engine_install(&configuration)
      guard installed == 0 else { throw .memory(Errno(rawValue: Int32(-installed))) }
      do throws(SessionError) {
        try arming.arm(scope, noNewPrivileges: noNewPrivileges)
      } catch {
        cordon_engine_uninstall()
        throw error
      }
      state.isActive = true
    }
  }

  /// Where Cordon's own calls come from, which always pass.
  static func gate() throws(SessionError) -> AddressRange {
    var start: UInt64 = 0
    var end: UInt64 = 0
    cordon_engine_gate(&start, &end)
    do { return try AddressRange(start: start, end: end) } catch { throw .region(error) }
  }

  /// The regions where a hook may read them at any time: never freed, for a filter is never taken off.
  private static func immortal(_ regions: [Region]) -> UnsafeBufferPointer<Region> {
    let copy = UnsafeMutableBufferPointer<Region>.allocate(capacity: regions.count)
    _ = copy.initialize(from: regions)
    return UnsafeBufferPointer(copy)
  }
}

extension Session.State {
  /// The declared map with Cordon's own pages allowed, and what is left of the arena marked as holding no code.
  func finalMap(gate: AddressRange) throws(SessionError) -> RegionMap {
    var map = self.map
    do {
      if map.defaultDisposition != .allow { try map.insert(gate, .allow) }
      guard let arena else { return map }
      var free = arena.range.start
      for region in map.regions where arena.range.overlaps(region.range) {
        if region.range.start > free {
          try map.insertDontCare(AddressRange(start: free, end: region.range.start))
        }
        free = max(free, region.range.end)
      }
      if free < arena.range.end { try map.insertDontCare(AddressRange(start: free, end: arena.range.end)) }
    } catch { throw .region(error) }
    return map
  }
}

extension TrapHook {
  /// The hook as the engine calls it. A closure is kept for ever.
  func engineHook(regions: UnsafeBufferPointer<Region>) -> (CordonTrapHook, UnsafeMutableRawPointer?) {
    switch kind {
    case .function(let function, let context): (function, UnsafeMutableRawPointer(bitPattern: context))
    case .closure(let body):
      (
        ClosureHook.function,
        Unmanaged.passRetained(ClosureHook(body: body, regions: regions)).toOpaque()
      )
    }
  }
}
