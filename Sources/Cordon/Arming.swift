import CordonShims
package import FilterCompiler
import Glibc
import SystemPackage
package import TrapEngine

/// What is put on the threads: a compiled filter, or a range for syscall user dispatch.
package enum Arming: Sendable {
  case filter(Program)
  case dispatch(DispatchPlan)

  /// - Throws: ``SessionError/compilation(_:)``, ``SessionError/inexpressible(_:reason:)``.
  package init(mechanism: Mechanism, map: RegionMap, gate: AddressRange) throws(SessionError) {
    if mechanism == .seccomp {
      do { self = .filter(try map.compile()) } catch { throw .compilation(error) }
    } else {
      self = .dispatch(try DispatchPlan(mechanism: mechanism, map: map, gate: gate))
    }
  }

  /// For the engine's configuration; operation 0 for a filter.
  package var dispatch: CordonDispatch {
    switch self {
    case .filter: CordonDispatch()
    case .dispatch(let plan): plan.engineDispatch
    }
  }

  /// Has a short-lived child load the filter, so that a refusal is known before anything happens to this process.
  package func rehearse(noNewPrivileges: Session.NoNewPrivileges) throws(SessionError) {
    guard case .filter(let program) = self else { return }
    var refusal = program.rehearse(settingNoNewPrivileges: noNewPrivileges == .always)
    if refusal == .permissionDenied, noNewPrivileges == .whenNeeded {
      refusal = program.rehearse(settingNoNewPrivileges: true)
    }
    if let refusal { throw .filterRefused(refusal) }
  }

  /// Arms the threads of `scope`. The engine is installed.
  package func arm(
    _ scope: Session.Scope, noNewPrivileges: Session.NoNewPrivileges
  ) throws(SessionError) {
    switch self {
    case .filter(let program):
      try program.load(scope, noNewPrivileges: noNewPrivileges)
    case .dispatch(let plan):
      cordon_threads_use_selector(plan.usesSelector ? 1 : 0)
      if scope == .allThreads { try ThreadArming.armOtherThreads() }
      let armed = cordon_thread_arm()
      guard armed == 0 else {
        if scope == .allThreads { ThreadArming.stopFollowing() }
        throw .threadNotArmed(cordon_thread_id(), Errno(rawValue: Int32(-armed)))
      }
    }
  }
}

extension Program {
  /// SPEC_ALLOW (Linux 4.17): before 5.16 a filter without it turned speculation mitigations on for the whole thread,
  /// which slows all of its code and protects nothing here.
  private static let speculationAllowed: UInt32 = 1 << 2
  private static let onAllThreads: UInt32 = 1 << 0

  private var flags: UInt32 {
    cordon_seccomp_probe(Program.speculationAllowed) == 0 ? Program.speculationAllowed : 0
  }

  /// What the kernel says against the filter; nil where it takes it.
  fileprivate func rehearse(settingNoNewPrivileges set: Bool) -> Errno? {
    let result = instructions.withUnsafeBytes { bytes in
      cordon_seccomp_rehearse(bytes.baseAddress, UInt16(instructions.count), flags, set ? 1 : 0)
    }
    return result == 0 ? nil : Errno(rawValue: Int32(-result))
  }

  fileprivate func load(
    _ scope: Session.Scope, noNewPrivileges: Session.NoNewPrivileges
  ) throws(SessionError) {
    if noNewPrivileges == .always { try setNoNewPrivileges() }
    var result = attach(scope)
    if result == -Int(EACCES), noNewPrivileges == .whenNeeded {
      try setNoNewPrivileges()
      result = attach(scope)
    }
    if result > 0 { throw .threadNotSynchronized(Int32(result)) }
    if result < 0 { throw .filterRefused(Errno(rawValue: Int32(-result))) }
  }

  private func attach(_ scope: Session.Scope) -> Int {
    let flags = self.flags | (scope == .allThreads ? Program.onAllThreads : 0)
    return instructions.withUnsafeBytes { bytes in
      cordon_seccomp_load(bytes.baseAddress, UInt16(instructions.count), flags)
    }
  }

  private func setNoNewPrivileges() throws(SessionError) {
    let noNewPrivileges: CInt = 38  // PR_SET_NO_NEW_PRIVS
    let result = cordon_gate_call(157, Int(noNewPrivileges), 1, 0, 0, 0, 0)
    guard result == 0 else { throw .filterRefused(Errno(rawValue: Int32(-result))) }
  }
}
