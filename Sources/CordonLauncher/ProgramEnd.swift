/// How a program ended.
package enum ProgramEnd: Hashable, Sendable {
  case exited(Int32)
  case signalled(Int32)

  /// nil where the status of wait(2) is none of an end.
  init?(_ status: Int32) {
    switch status & 0x7f {
    case 0: self = .exited(status >> 8 & 0xff)
    case 0x7f: return nil
    case let signal: self = .signalled(signal)
    }
  }

  /// What a shell makes of it: the program's own status, or 128 and the signal's number.
  package var exitStatus: Int32 {
    switch self {
    case .exited(let status): status
    case .signalled(let signal): 128 + signal
    }
  }
}
