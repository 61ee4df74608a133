/// The 32 bits that a seccomp filter returns: `SECCOMP_RET_*` in the upper half, 16 data bits in the lower.
public struct Action: RawRepresentable, Hashable, Sendable {
  /// All 32 bits.
  public let rawValue: UInt32

  /// The action that a filter's return of these bits is.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The action `kind` with its data bits.
  public init(_ kind: Kind, data: UInt16 = 0) { self.init(rawValue: kind.rawValue | UInt32(data)) }

  /// What the upper half can say (`SECCOMP_RET_*`).
  public enum Kind: UInt32, CaseIterable, Sendable {
    /// The process dies of SIGSYS (Linux 4.14).
    case killProcess = 0x8000_0000
    /// The thread dies of SIGSYS.
    case killThread = 0x0000_0000
    /// The thread gets SIGSYS; the data is its `si_errno`.
    case trap = 0x0003_0000
    /// The call fails; the data is the error number.
    case errno = 0x0005_0000
    /// The listener of the filter decides (Linux 5.0).
    case notify = 0x7fc0_0000
    /// A tracer decides; the data is its message.
    case trace = 0x7ff0_0000
    /// The call happens and is logged (Linux 4.14).
    case log = 0x7ffc_0000
    /// The call happens.
    case allow = 0x7fff_0000
  }

  /// The kind; nil for a value the kernel does not know, and treats as ``Kind/killProcess``.
  public var kind: Kind? { Kind(rawValue: rawValue & 0xffff_0000) }

  /// The lower 16 bits: `si_errno` of a trap, the number of an errno, the message for a tracer.
  public var data: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

  /// Whether this answer beats `other`, the answer of another filter on the same call.
  ///
  /// The kernel compares the upper halves as signed numbers, and the smallest wins (`ACTION_ONLY` in
  /// kernel/seccomp.c): kill process, kill thread, trap, errno, notify, trace, log, allow.
  public func isStricter(than other: Action) -> Bool { precedence < other.precedence }

  private var precedence: Int32 { Int32(bitPattern: rawValue & 0xffff_0000) }
}

extension Action: CustomStringConvertible {
  /// The kind in words, with the data where it says something: `allow`, `trap`, `trap 7`, `errno 1`.
  public var description: String {
    switch kind {
    case .killProcess: "kill process"
    case .killThread: "kill thread"
    case .trap: data == 0 ? "trap" : "trap \(data)"
    case .errno: "errno \(data)"
    case .notify: "notify"
    case .trace: data == 0 ? "trace" : "trace \(data)"
    case .log: "log"
    case .allow: "allow"
    case nil: "unknown action \(hexadecimal(rawValue)) (kills the process)"
    }
  }
}
