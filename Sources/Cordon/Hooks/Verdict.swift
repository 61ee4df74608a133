public import SystemPackage
import TrapEngine

/// What becomes of a trapped call.
public enum Verdict: Sendable, Hashable {
  /// The call happens after all, outside the handler, on the caller's own stack and with its own mask, as if it had
  /// never been trapped. Registers that the hook changed are the ones it is made with.
  case pass
  /// The call does not happen and returns this.
  case value(Int)
  /// The call does not happen and fails with this error (RAX is the negated errno, 1…4095).
  case error(Errno)
  /// The call does not happen; the thread goes on at this address with its registers as they are, RAX still the
  /// call's number.
  case redirect(to: UInt)
  /// The call does not happen, and the program's own SIGSYS handler is run for it, as for a trap of the kernel's own
  /// (signal(7), seccomp(2)): si_code SYS_SECCOMP, si_errno 0, the call's number, architecture and address, and a context in
  /// which RAX still has the number. Where the program has no handler, or ignores SIGSYS, it dies of it.
  case signal

  var engineVerdict: CordonVerdict {
    switch self {
    case .pass: CordonVerdict(kind: .pass, reserved: 0, value: 0)
    case .value(let value): CordonVerdict(kind: .value, reserved: 0, value: Int64(value))
    case .error(let errno): CordonVerdict(kind: .error, reserved: 0, value: Int64(errno.rawValue))
    case .redirect(let address):
      CordonVerdict(kind: .redirect, reserved: 0, value: Int64(bitPattern: UInt64(address)))
    case .signal: CordonVerdict(kind: .signal, reserved: 0, value: 0)
    }
  }
}
