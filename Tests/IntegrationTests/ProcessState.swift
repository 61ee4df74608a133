import Cordon
import Glibc
import Testing
import TrapEngine

/// What of a process an activation changes for good.
struct ProcessState: Equatable {
  /// Of the calling thread, and the most that any thread has.
  let filters, mostFilters: Int
  let noNewPrivileges, anyNoNewPrivileges: Bool
  let handler, flags: Int
  let isInstalled: Bool
  /// What handles libc's own signal, by which threads are asked to arm themselves.
  let requestHandler: UInt64

  init() {
    let threads = ProcessState.threads()
    filters = ProcessState.value("Seccomp_filters", "/proc/thread-self/status")
    mostFilters = threads.map { ProcessState.value("Seccomp_filters", $0) }.max() ?? 0
    noNewPrivileges = ProcessState.value("NoNewPrivs", "/proc/thread-self/status") != 0
    anyNoNewPrivileges = threads.contains { ProcessState.value("NoNewPrivs", $0) != 0 }
    var action = sigaction()
    sigaction(SIGSYS, nil, &action)
    handler = unsafeBitCast(action.__sigaction_handler, to: Int.self)
    flags = Int(action.sa_flags)
    isInstalled = cordon_engine_is_installed() != 0
    var request = KernelAction()
    requestHandler = withUnsafeMutablePointer(to: &request) { request in
      nativeCall(Number.rtSigaction, 33, 0, Int(bitPattern: request), 8)
      return request.pointee.handler
    }
  }

  /// The status files of all threads.
  private static func threads() -> [String] {
    KernelFile.names(in: "/proc/self/task").map { "/proc/self/task/\($0)/status" }
  }

  /// The number in a status file's line; 0 where the thread has ended.
  private static func value(_ name: String, _ path: String) -> Int {
    let line = linesOfFile(path).first { $0.hasPrefix(name + ":") }
    return line.flatMap { Int($0.split(whereSeparator: \.isWhitespace).last ?? "") } ?? 0
  }
}

/// Expects activation to be refused with `wanted`, and nothing to have changed in the process or the session.
func expectRefusal(
  _ wanted: SessionError, of session: Session, for scope: Session.Scope = .callingThread,
  at location: SourceLocation = #_sourceLocation
) {
  let before = ProcessState()
  let regions = session.regions
  do throws(SessionError) {
    try session.activate(for: scope)
    Issue.record("activated, instead of \(wanted)", sourceLocation: location)
  } catch {
    check(error, wanted, "the error", at: location)
    #expect(!error.description.isEmpty && !error.description.contains("SessionError"), sourceLocation: location)
  }
  check(ProcessState(), before, "the process", at: location)
  check(session.regions, regions, "the regions", at: location)
  #expect(!session.isActive, sourceLocation: location)
}

/// Expects a change to fail, and nothing to have changed.
func expectNoChange(
  of guest: Guest, _ wanted: SessionError, _ body: () throws(SessionError) -> some Any
) {
  let (process, regions, filters) = (ProcessState(), guest.session.regions, guest.session.statistics.filters)
  do throws(SessionError) {
    _ = try body()
    Issue.record("no error, instead of \(wanted)")
  } catch { check(error, wanted, "the error") }
  check(ProcessState(), process, "the process")
  check(guest.session.regions, regions, "the regions")
  check(guest.session.statistics.filters, filters, "filters")
  check(guest.call(Number.getpid), 4711, "a trapped call")
}

/// Gives up the superuser's rights, in all threads, where the test has them.
func becomeOrdinary() {
  guard geteuid() == 0 else { return }
  check(setgid(65534), 0, "setgid")
  check(setuid(65534), 0, "setuid")
  nativeCall(Number.prctl, 4, 1)  // PR_SET_DUMPABLE: /proc/self stays ours
}
