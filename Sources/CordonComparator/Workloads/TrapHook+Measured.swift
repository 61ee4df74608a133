import Cordon
import TrapEngine

/// The hooks that are measured: C functions that do nothing but answer, so that the mechanism's cost is what remains.
extension TrapHook {
  /// What ``answering`` answers: no process has this id.
  static let answer = 0x2a_0000_0000

  static var answering: TrapHook {
    TrapHook(function: { _, _ in CordonVerdict(kind: .value, reserved: 0, value: Int64(TrapHook.answer)) })
  }

  static var passing: TrapHook {
    TrapHook(function: { _, _ in CordonVerdict(kind: .pass, reserved: 0, value: 0) })
  }
}
