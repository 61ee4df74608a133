import CLinux
import FilterCompiler
import Glibc
import SystemPackage
import TrapEngine

/// A supervisor at work on this process.
struct Supervision: ~Copyable {
  private let record: SupervisionRecord

  private static let patience = 50_000
  private static let newListener: UInt32 = 1 << 3
  private static let speculationAllowed: UInt32 = 1 << 2

  /// Starts a supervisor and hands the guest's calls to it.
  init(
    _ kind: SupervisionKind, of guest: Range<UInt64>, answer: GuestAnswer, command: [String]
  ) throws(MeasurementError) {
    let record = try SupervisionRecord()
    // Who may trace is a matter of the Yama module, where there is one (ptrace_scope 1: only ancestors and whom one names).
    ProcessControl.allowTracing()
    let request = SupervisionRequest(
      kind: kind, answer: answer, process: getpid(), guest: guest, record: record.descriptor)
    let supervisor = try Self.start(command + request.arguments)
    if let disposition = kind.disposition {
      let result = try Self.load(disposition, on: guest, hasListener: kind == .notification)
      if kind == .notification { record.listener = result }
    }
    try Self.wait(for: supervisor, record)
    self.record = record
  }

  private static func start(_ command: [String]) throws(MeasurementError) -> pid_t {
    var arguments = command.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var process: pid_t = 0
    let result = posix_spawn(&process, command[0], nil, nil, &arguments, environ)
    guard result == 0 else { throw .failed("a supervisor could not be started: \(Errno(rawValue: result))") }
    return process
  }

  /// Has the guest's calls, and no others, reach the supervisor; the listener's descriptor, where there is one.
  private static func load(
    _ disposition: Disposition, on guest: Range<UInt64>, hasListener: Bool
  ) throws(MeasurementError) -> Int32 {
    let program: Program
    do {
      var map = RegionMap(default: .allow)
      try map.insert(AddressRange(start: guest.lowerBound, end: guest.upperBound), disposition)
      program = try map.compile()
    } catch { throw .failed("the guest's filter: \(error)") }
    let result = FilterLoading.load(program, flags: Self.speculationAllowed | (hasListener ? Self.newListener : 0))
    guard result >= 0 else { throw .unavailable("the filter is refused: \(Errno(rawValue: Int32(-result)))") }
    return Int32(result)
  }

  private static func wait(
    for supervisor: pid_t, _ record: borrowing SupervisionRecord
  ) throws(MeasurementError) {
    for _ in 0..<Self.patience where !record.isReady {
      var status: Int32 = 0
      if waitpid(supervisor, &status, WNOHANG) == supervisor {
        throw status & 0x7f == 0 && status >> 8 & 0xff == SupervisorExit.unavailable
          ? .unavailable("this process may not be traced: ptrace(2), Yama's ptrace_scope or a filter forbids it")
          : .failed("the supervisor ended with status \(status)")
      }
      usleep(100)
    }
    guard record.isReady else { throw .failed("the supervisor did not begin within 5 s") }
  }

  /// What the supervisor has counted.
  var counts: ExpectedTraps.Counts { record.counts }
}

/// What the exit status of a supervisor says to the process that it was to supervise.
package enum SupervisorExit {
  package static let unavailable: Int32 = 69
}

extension SupervisionKind {
  /// What the filter does with the guest's calls; nil where there is no filter.
  fileprivate var disposition: Disposition? {
    switch self {
    case .notification: .notify
    case .traceEvents: .trace(0)
    case .systemCalls, .emulation: nil
    }
  }
}
