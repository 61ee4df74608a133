import Glibc
import LauncherShims

/// A thread that executes a program, from its call until it has executed it: one stop.
struct FollowedThread {
  enum Outcome {
    /// Done with: it has not executed a program, and goes on with this signal, or 0.
    case released(Int32)
    /// Done with: it is a new program now, which will ask for its agent.
    case executed
    case failed(String)
  }

  /// When to look whether the call has failed, in nanoseconds of the monotonic clock.
  var deadline: UInt64
  /// The number of its process, which becomes its own when all other threads are gone, before it is told of.
  let process: Int32
  /// The number of the call.
  private let number: Int32
  /// What of SIGSYS the new program has from the one before it.
  private let inherited: UInt64

  init(deadline: UInt64, process: Int32, number: Int32, inherited: UInt64) {
    self.deadline = deadline
    self.process = process
    self.number = number
    self.inherited = inherited
  }

  func answer(_ stop: ThreadStop, _ thread: Int32, _ place: borrowing AgentPlace) -> Outcome {
    switch stop {
    case .executed: begin(thread, place)
    // The call that was to execute a program has failed, and the thread goes on with its life.
    case .group(let signal) where signal == SIGTRAP: .released(0)
    case .signal(let signal), .group(let signal): .released(signal)
    }
  }

  private func begin(_ thread: Int32, _ place: borrowing AgentPlace) -> Outcome {
    // From here on a launcher that dies takes the program with it.
    _ = cordon_trace_set_options(thread, UInt32(CordonTraceEndsWithUs))
    var registers = CordonThreadRegisters()
    // One that is gone, or killed meanwhile, is reported by wait(2).
    guard cordon_trace_registers(thread, &registers) == 0 else { return .executed }
    guard registers.cs == 0x33 else { return .failed("its new program is a 32-bit one, which cordon cannot follow") }
    if let path = LostPrivilege.program(of: thread) {
      Message.say("\(path) is set-user-id or set-group-id, and runs without that privilege (no_new_privs)")
    }
    guard var start = place.beginning(of: thread, registers, number: number, inherited: inherited) else {
      guard cordon_trace_registers(thread, &registers) == 0 else { return .executed }
      return .failed(
        KernelCode.isHidden(in: thread)
          ? "its new program may be executed and not read, so the agent cannot be put into it"
          : "its new program has no vDSO, or its memory cannot be written")
    }
    _ = cordon_trace_set_registers(thread, &start)
    return .executed
  }
}
