import CordonShims
import FilterCompiler
import Glibc
import SystemPackage
import TrapEngine

extension Program {
  /// SPEC_ALLOW (Linux 4.17): before 5.16 a filter without it turned speculation mitigations on for the whole thread,
  /// which slows all of its code and protects nothing here.
  private static let speculationAllowed: UInt32 = 1 << 2
  private static let onAllThreads: UInt32 = 1 << 0

  private var flags: UInt32 {
    cordon_seccomp_probe(Program.speculationAllowed) == 0 ? Program.speculationAllowed : 0
  }

  /// Attaches the filter to the calling thread, or to all of them.
  /// - Throws: ``SessionError/filterRefused(_:)``, ``SessionError/threadNotSynchronized(_:)``.
  func load(
    _ scope: Session.Scope, noNewPrivileges: Session.NoNewPrivileges
  ) throws(SessionError) {
    if noNewPrivileges == .always { try setNoNewPrivileges(scope) }
    var result = attach(scope)
    if result == -Int(EACCES), noNewPrivileges == .whenNeeded {
      try setNoNewPrivileges(scope)
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

  /// Sets no_new_privs, which cannot be unset, once it is known that the filter will be taken: a short-lived child loads
  /// it first.
  private func setNoNewPrivileges(_ scope: Session.Scope) throws(SessionError) {
    let (set, get) = (38, 39)  // PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS
    if cordon_gate_call(157, get, 0, 0, 0, 0, 0) == 1 { return }
    if scope == .allThreads, let other = ThreadStatus.threadWithMoreFilters() {
      throw .threadNotSynchronized(other)
    }
    // A first filter cannot exceed what the kernel allows in all, whatever it is.
    if ThreadStatus.filterCount() != 0 {
      let rehearsed = instructions.withUnsafeBytes { bytes in
        cordon_seccomp_rehearse(bytes.baseAddress, UInt16(instructions.count), flags, 1)
      }
      guard rehearsed == 0 else { throw .filterRefused(Errno(rawValue: Int32(-rehearsed))) }
    }
    let result = cordon_gate_call(157, set, 1, 0, 0, 0, 0)
    guard result == 0 else { throw .filterRefused(Errno(rawValue: Int32(-result))) }
  }
}
