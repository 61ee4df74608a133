import CordonShims
import SystemPackage
import TrapEngine

extension DispatchPlan {
  /// Arms the threads of `scope` as the engine is configured, the calling one among them.
  /// - Throws: ``SessionError/threadNotArmed(_:_:)``, ``SessionError/threadsNotFollowed``; no thread is armed then.
  func arm(_ scope: Session.Scope) throws(SessionError) {
    cordon_threads_use_selector(usesSelector ? 1 : 0)
    if scope == .allThreads { try ThreadArming.armOtherThreads() }
    let armed = cordon_thread_arm()
    guard armed == 0 else {
      if scope == .allThreads { ThreadArming.disarmOtherThreads() }
      throw .threadNotArmed(cordon_thread_id(), Errno(rawValue: Int32(-armed)))
    }
  }

  /// Has threads that are armed take over this plan instead of `before`; a plan of nothing (operation 0) disarms them.
  /// - Throws: ``SessionError/threadNotArmed(_:_:)``; all of them are as they were then.
  func replace(_ before: DispatchPlan, in armament: Armament) throws(SessionError) {
    var dispatch = engineDispatch
    cordon_dispatch_configure(&dispatch)
    do throws(SessionError) {
      try Self.rearm(armament)
    } catch {
      dispatch = before.engineDispatch
      cordon_dispatch_configure(&dispatch)
      try? Self.rearm(armament)
      throw error
    }
  }

  /// The plan by which nothing is dispatched.
  static let nothing = DispatchPlan()

  private static func rearm(_ armament: Armament) throws(SessionError) {
    switch armament.scope {
    case .callingThread:
      if armament.thread != cordon_thread_id() {
        try ThreadArming.arm([armament.thread])
        return
      }
    case .allThreads: try ThreadArming.rearmOtherThreads()
    }
    let armed = cordon_thread_arm()
    guard armed == 0 else { throw .threadNotArmed(cordon_thread_id(), Errno(rawValue: Int32(-armed))) }
  }
}
