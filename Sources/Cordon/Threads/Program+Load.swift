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
  /// - Parameter takesNativeCalls: whether calls of code that other threads may be in are to trap. They stand still then
  ///   while it is attached, outside of the moments in which libc has every signal blocked.
  /// - Throws: ``SessionError/filterRefused(_:)``, ``SessionError/threadNotSynchronized(_:)``; where it takes native calls
  ///   ``SessionError/signalBlocked(threads:)``, ``SessionError/threadNotStopped(_:_:)`` and
  ///   ``SessionError/threadsNotListed(_:)`` as well.
  func load(
    _ scope: Session.Scope, noNewPrivileges: Session.NoNewPrivileges, takesNativeCalls: Bool
  ) throws(SessionError) {
    if noNewPrivileges == .always { try setNoNewPrivileges(scope) }
    let parks = takesNativeCalls && scope == .allThreads
    var result = parks ? try attachWhileThreadsStandStill() : attach(scope)
    if result == -Int(EACCES), noNewPrivileges == .whenNeeded {
      try setNoNewPrivileges(scope)
      result = parks ? try attachWhileThreadsStandStill() : attach(scope)
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

  private func attachWhileThreadsStandStill() throws(SessionError) -> Int {
    var silence = CordonSilence()
    let flags = self.flags | Program.onAllThreads
    let result = instructions.withUnsafeBytes { bytes in
      cordon_seccomp_load_parked(
        bytes.baseAddress, UInt16(instructions.count), flags, .usual, &silence)
    }
    let errno = Errno(rawValue: Int32(-silence.error))
    switch (silence.thread, errno) {
    case (_, Errno(rawValue: 0)): return result
    case (0, _): throw .threadsNotListed(errno)
    case (let thread, .resourceBusy): throw .signalBlocked(threads: [thread])
    case (let thread, _): throw .threadNotStopped(thread, errno)
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
