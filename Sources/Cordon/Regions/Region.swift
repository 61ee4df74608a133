public import FilterCompiler
public import SystemPackage

/// Code of a session, with what becomes of its calls.
///
/// A value that names a region: what becomes of the region itself does not change it.
public struct Region: Sendable, Hashable {
  /// Its place among the session's regions. No two that a session has at the same time share one; a region that is
  /// declared after another one was removed may get that one's.
  public let index: Int
  /// Where its instructions lie, half-open.
  public let range: AddressRange
  /// Tells it from others that have had the same index.
  let serial: UInt64

  /// What becomes of the calls that are issued in a region.
  public enum Disposition: Sendable, Hashable {
    /// They happen.
    case allow
    /// The session's hook answers them.
    case trap
    /// They fail with this error (1…4095), without the hook.
    case error(Errno)
    /// The process dies of SIGSYS.
    case kill
    /// Their numbers and arguments decide, in the SIGSYS handler: its rules may allow, trap (to the hook), fail with an
    /// error, and end the process. Where all that traps has policies when the session is activated, the filter itself lets
    /// those calls happen that all of them permit whatever the arguments are; a later region or policy that does not permit
    /// them costs one more filter, once. Each different policy that a session has ever had takes memory (8 bytes an
    /// instruction) as long as the process lives; there can be 65,536.
    case policy(Policy)
  }
}

extension Region.Disposition {
  /// As the SIGSYS handler's table has it; nil for a policy, which has a place of its own there.
  var engineDisposition: UInt32? {
    switch self {
    case .allow: 0
    case .trap: 1
    case .kill: 2
    case .error(let errno): 0x10000 + UInt32(min(max(errno.rawValue, 1), 4095))
    case .policy: nil
    }
  }

  /// As a filter would decide it.
  package var filterDisposition: FilterCompiler.Disposition {
    switch self {
    case .allow: .allow
    case .trap: Session.trapDisposition
    case .error(let errno): .errno(UInt16(min(max(errno.rawValue, 1), 4095)))
    case .kill: .killProcess
    case .policy(let policy): (try? PolicyBody(readOff: policy)).map { .policy($0) } ?? Session.trapDisposition
    }
  }
}
