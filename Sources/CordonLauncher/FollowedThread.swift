import AgentInterface
import Glibc
import LauncherShims

/// A thread that executes a program, from its call until the agent is in the new program: four stops.
///
/// The agent's pages are mapped by the program itself. Under an inherited filter no call passes but from those very pages;
/// the filter runs after the stop at a call's entry, so there the instruction pointer is set to where the agent will be.
struct FollowedThread {
  enum Outcome {
    case goesOn
    /// Stopped by this signal, and to be left so until it is continued.
    case stopped(Int32)
    /// Done with; it goes on with this signal, or 0.
    case released(Int32)
    case failed(String)
  }

  private enum Stage {
    /// The call that executes a program has not succeeded yet.
    case announced
    /// The new program is there; the call is about to return.
    case executed(mask: UInt64)
    /// On its way to the call that maps the agent.
    case calling(mask: UInt64, saved: CordonThreadRegisters)
    /// In that call.
    case mapping(mask: UInt64, saved: CordonThreadRegisters)
  }

  /// When to look whether the call has failed, in nanoseconds of the monotonic clock; nil where it need not be asked.
  var deadline: UInt64?
  /// What of SIGSYS the new program has from the one before it.
  private let inherited: UInt64
  private var stage = Stage.announced

  init(deadline: UInt64, inherited: UInt64) {
    self.deadline = deadline
    self.inherited = inherited
  }

  /// Whether the new program is there and the agent not yet: nothing of the program itself runs in between.
  var isBeingPrepared: Bool {
    if case .announced = stage { false } else { true }
  }

  mutating func answer(_ stop: ThreadStop, _ thread: Int32, _ place: borrowing AgentPlace) -> Outcome {
    switch (stop, stage) {
    case (.executed, _): begin(thread)
    case (.call, .executed(let mask)): startMapping(thread, mask, place)
    case (.call, .calling(let mask, let saved)): enterMapping(thread, mask, saved, place)
    case (.call, .mapping(let mask, let saved)): finish(thread, mask, saved, place)
    // The call that was to execute a program has failed, and the thread goes on with its life.
    case (.group(let signal), .announced) where signal == SIGTRAP: .released(0)
    case (.signal(let signal), .announced), (.group(let signal), .announced): .released(signal)
    case (.call, .announced): .released(0)
    // All signals are blocked that can be; what arrives now stops or ends the program whatever it does.
    case (.group(let signal), _) where signal != SIGTRAP: .stopped(signal)
    case (.group, _): resume(thread, 0)
    case (.signal(let signal), _): resume(thread, signal)
    }
  }

  private func resume(_ thread: Int32, _ signal: Int32) -> Outcome {
    // A thread that is gone is reported by wait(2).
    _ = cordon_trace_to_call(thread, signal)
    return .goesOn
  }

  private mutating func begin(_ thread: Int32) -> Outcome {
    deadline = nil
    // From here on a launcher that dies takes the program with it: half of an agent is none.
    _ = cordon_trace_set_options(thread, UInt32(CordonTraceMarksCalls) | UInt32(CordonTraceEndsWithUs))
    var mask: UInt64 = 0
    _ = cordon_trace_mask(thread, &mask)
    _ = cordon_trace_set_mask(thread, .max)
    stage = .executed(mask: mask)
    return resume(thread, 0)
  }

  private mutating func startMapping(_ thread: Int32, _ mask: UInt64, _ place: borrowing AgentPlace) -> Outcome {
    var saved = CordonThreadRegisters()
    guard cordon_trace_registers(thread, &saved) == 0 else { return .goesOn }
    guard saved.cs == 0x33 else { return .failed("its new program is a 32-bit one, which cordon cannot follow") }
    if let path = LostPrivilege.program(of: thread) {
      Message.say("\(path) is set-user-id or set-group-id, and runs without that privilege (no_new_privs)")
    }
    guard let instruction = KernelCode.callInstruction(of: thread) else {
      return .failed(
        KernelCode.isHidden(in: thread)
          ? "its new program may be executed and not read, so the agent cannot be put into it"
          : "the kernel gives its new program no vDSO")
    }
    var call = saved
    call.rip = instruction
    call.rax = 9  // mmap
    call.original_rax = .max
    call.rdi = place.base
    call.rsi = UInt64(CORDON_AGENT_IMAGE_LIMIT)
    call.rdx = UInt64(PROT_READ | PROT_EXEC)
    call.r10 = UInt64(MAP_PRIVATE | MAP_ANONYMOUS | 0x100000)  // MAP_FIXED_NOREPLACE
    call.r8 = .max
    call.r9 = 0
    _ = cordon_trace_set_registers(thread, &call)
    stage = .calling(mask: mask, saved: saved)
    return resume(thread, 0)
  }

  private mutating func enterMapping(
    _ thread: Int32, _ mask: UInt64, _ saved: CordonThreadRegisters, _ place: borrowing AgentPlace
  ) -> Outcome {
    var call = CordonThreadRegisters()
    guard cordon_trace_registers(thread, &call) == 0 else { return .goesOn }
    call.rip = place.call
    _ = cordon_trace_set_registers(thread, &call)
    stage = .mapping(mask: mask, saved: saved)
    return resume(thread, 0)
  }

  private func finish(
    _ thread: Int32, _ mask: UInt64, _ saved: CordonThreadRegisters, _ place: borrowing AgentPlace
  ) -> Outcome {
    var call = CordonThreadRegisters()
    guard cordon_trace_registers(thread, &call) == 0 else { return .goesOn }
    guard call.rax == place.base else {
      return .failed("the agent has no room in its new program: error \(0 &- call.rax)")
    }
    guard place.write(into: thread, entry: saved.rip, inherited: inherited) else {
      return .failed("the memory of its new program cannot be written")
    }
    var start = saved
    start.rip = place.start
    start.original_rax = .max
    _ = cordon_trace_set_registers(thread, &start)
    _ = cordon_trace_set_mask(thread, mask)
    return .released(0)
  }
}
