import CLinux
import Glibc
import SystemPackage

/// Answers calls by ptrace(2).
struct CallTracer {
  private static let syscall = 24
  private static let cont = 7
  private static let getRegisters = 12
  private static let setRegisters = 13
  private static let emulate = 31
  private static let seize = 0x4206
  private static let interrupt = 0x4207
  private static let systemGood = 1
  private static let traceSeccomp = 0x80
  private static let anyChild: Int32 = 0x4000_0000

  private let request: SupervisionRequest
  private var registers = user_regs_struct()

  /// Stops the process and takes hold of it.
  init(_ request: SupervisionRequest) throws(MeasurementError) {
    self.request = request
    let options = Self.systemGood | (request.kind == .traceEvents ? Self.traceSeccomp : 0)
    let seized = Self.ptrace(Self.seize, request.process, 0, options)
    guard seized == 0 else { throw .unavailable("ptrace is refused: \(Errno(rawValue: Int32(-seized)))") }
  }

  private static func ptrace(_ operation: Int, _ process: Int32, _ address: Int, _ data: Int) -> Int {
    linux_call(Int(SYS_ptrace), operation, Int(process), address, data, 0, 0)
  }

  /// How the process is let go until its next call.
  private var resume: Int {
    switch request.kind {
    case .systemCalls: Self.syscall
    case .emulation: Self.emulate
    case .traceEvents, .notification: Self.cont
    }
  }

  mutating func run(_ record: borrowing SupervisionRecord) throws(MeasurementError) {
    _ = Self.ptrace(Self.interrupt, request.process, 0, 0)
    var how = resume
    // A call whose exit is still to come, and what it is to return; nil for what the kernel says.
    var exit: (isDue: Bool, result: Int?) = (false, nil)
    while let stop = wait() {
      switch stop {
      case .call:
        if exit.isDue {
          if let result = exit.result { setResult(result) }
          exit = (false, nil)
          how = resume
        } else {
          exit = atCall(record)
          how = exit.isDue ? Self.syscall : resume
        }
        _ = Self.ptrace(how, request.process, 0, 0)
      case .signal(let signal):
        _ = Self.ptrace(how, request.process, 0, signal)
      case .begun:
        // It is told to go on only when the next call is sure to be seen.
        record.isReady = true
        _ = Self.ptrace(how, request.process, 0, 0)
      }
    }
  }

  private enum Stop { case call, begun, signal(Int) }

  /// Waits for the next stop; nil when the process has ended.
  private func wait() -> Stop? {
    var status: Int32 = 0
    while waitpid(request.process, &status, Self.anyChild) < 0 { guard errno == EINTR else { return nil } }
    guard status & 0xff == 0x7f else { return nil }
    let (signal, event) = (status >> 8 & 0xff, status >> 16)
    switch (signal, event) {
    case (SIGTRAP | 0x80, _), (SIGTRAP, 7): return .call
    case (_, 0): return .signal(Int(signal))
    // PTRACE_EVENT_STOP and whatever else there may be.
    default: return .begun
    }
  }

  /// A call is about to happen, or, emulated, has been left out.
  private mutating func atCall(_ record: borrowing SupervisionRecord) -> (isDue: Bool, result: Int?) {
    readRegisters()
    let isGuest = request.isGuest(UInt64(registers.rip))
    if isGuest { record.countTrapped(passed: request.answer == .pass) }
    switch (request.kind, isGuest ? request.answer : .pass) {
    case (.emulation, .pass):
      // It is issued once more, and this time it happens.
      registers.rip -= 2
      registers.rax = registers.orig_rax
      writeRegisters()
      return issueAgain()
    case (.systemCalls, .pass): return (true, nil)
    case (_, .pass): return (false, nil)
    case (let kind, let answer):
      let result = answer.result ?? 0
      if answer == .redirect { registers.rip += UInt64(Guest.detour - Guest.instruction - 2) }
      registers.orig_rax = .max
      registers.rax = UInt64(bitPattern: Int64(result))
      writeRegisters()
      // A call that is stopped at its entry has an exit too, at which the kernel has put ENOSYS.
      return kind == .systemCalls ? (true, result) : (false, nil)
    }
  }

  /// Lets an emulated call happen: it is seen once more at its entry and then at its exit.
  private mutating func issueAgain() -> (isDue: Bool, result: Int?) {
    _ = Self.ptrace(Self.syscall, request.process, 0, 0)
    while let stop = wait() {
      switch stop {
      case .call: return (true, nil)
      case .signal(let signal): _ = Self.ptrace(Self.syscall, request.process, 0, signal)
      case .begun: _ = Self.ptrace(Self.syscall, request.process, 0, 0)
      }
    }
    return (false, nil)
  }

  private mutating func setResult(_ result: Int) {
    readRegisters()
    registers.rax = UInt64(bitPattern: Int64(result))
    writeRegisters()
  }

  private mutating func readRegisters() {
    _ = withUnsafeMutablePointer(to: &registers) {
      Self.ptrace(Self.getRegisters, request.process, 0, Int(bitPattern: $0))
    }
  }

  private mutating func writeRegisters() {
    _ = withUnsafeMutablePointer(to: &registers) {
      Self.ptrace(Self.setRegisters, request.process, 0, Int(bitPattern: $0))
    }
  }
}
