import Glibc
import LauncherShims

/// Why a thread has stopped, as wait(2) tells a tracer or a parent.
enum ThreadStop: Equatable {
  /// It has executed a program.
  case executed
  /// With its whole process, by this signal; SIGTRAP where it was interrupted or continued instead.
  case group(Int32)
  /// This signal is about to be delivered to it, or, where it is not traced, has stopped it.
  case signal(Int32)

  /// nil where the thread has ended.
  init?(_ status: Int32) {
    guard status & 0xff == 0x7f else { return nil }
    let signal = status >> 8 & 0xff
    switch status >> 16 {
    case Int32(CordonStopAtExec): self = .executed
    case Int32(CordonStopForGroup): self = .group(signal)
    default: self = .signal(signal)
    }
  }
}
