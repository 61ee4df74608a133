import Cordon
import TrapEngine

/// What becomes of a guest's call, said so that every mechanism can do it: a session by a hook, a supervisor by its own
/// means.
package enum GuestAnswer: Sendable, Hashable {
  /// The call happens after all.
  case pass
  /// The call does not happen and returns this.
  case value
  /// The call does not happen and fails with EPERM.
  case error
  /// The call does not happen and the guest goes on at ``Guest/detour``.
  case redirect

  /// What ``value`` returns, and what code at ``Guest/detour`` does: no process has this id.
  static let returned = 0x2a_0000_0000
  /// What ``error`` fails with: EPERM.
  static let errorNumber: Int32 = 1

  /// What the guest's call returns then; nil for what the kernel says.
  var result: Int? {
    switch self {
    case .pass: nil
    case .value, .redirect: Self.returned
    case .error: -Int(Self.errorNumber)
    }
  }

  /// The hook that answers so: a C function that does nothing else, so that the mechanism's cost is what remains.
  var hook: TrapHook {
    switch self {
    case .pass:
      TrapHook(function: { _, _ in CordonVerdict(kind: .pass, reserved: 0, value: 0) })
    case .value:
      TrapHook(function: { _, _ in CordonVerdict(kind: .value, reserved: 0, value: Int64(GuestAnswer.returned)) })
    case .error:
      TrapHook(function: { _, _ in CordonVerdict(kind: .error, reserved: 0, value: Int64(GuestAnswer.errorNumber)) })
    case .redirect:
      TrapHook(function: { trap, _ in
        let instruction = trap?.pointee.instruction_address ?? 0
        return CordonVerdict(
          kind: .redirect, reserved: 0, value: Int64(bitPattern: instruction + UInt64(Guest.detour - Guest.instruction))
        )
      })
    }
  }
}
