import Cordon
import FilterCompiler
import Glibc
import SystemPackage

/// The filters of a live process.
enum LiveFilters {
  /// The filters attached to thread `id`, the oldest first; at least one.
  static func read(_ id: Int32) throws(CommandFailure) -> [Program] {
    try check(id)
    let process: TracedProcess
    do {
      process = try TracedProcess(id)
    } catch {
      throw refusal(id, error)
    }
    var programs: [Program] = []
    do throws(Errno) {
      while let bytes = try process.filter(programs.count) {
        do throws(ProgramError) {
          programs.append(try Program(raw: bytes))
        } catch {
          throw .invalidArgument
        }
      }
    } catch {
      throw refusal(id, error)
    }
    return programs
  }

  /// Says what can be known without touching the process.
  private static func check(_ id: Int32) throws(CommandFailure) {
    let place = "process \(id)"
    guard let text = KernelFile.text("/proc/\(id)/status") else { throw gone(id) }
    let status = ProcessStatus(text)
    if status["State"]?.hasPrefix("Z") == true {
      throw .badInput(
        place, "it has ended, and only waits for its parent to notice", remedy: "its filters are gone with it")
    }
    switch status.number("Seccomp") {
    case 0:
      throw .badInput(
        place, "it has no filters", remedy: "filters belong to threads: another one's number can be given as well")
    case 1:
      throw .badInput(
        place, "it is in seccomp's strict mode, which has no filters",
        remedy: "it may only read, write, exit and return from signals")
    default: break
    }
    guard status.number("Tgid") != Int(getpid()) else {
      throw .badInput(place, "that is cordon itself", remedy: "name another process")
    }
    let own = ProcessStatus.current()
    guard own.has(.systemAdministration) else {
      throw .unavailable(
        place, "only a process with CAP_SYS_ADMIN may read filters (ptrace(2), since Linux 4.4)",
        remedy: "run it with sudo, outside of containers that take this capability away")
    }
    guard own.number("Seccomp") == 0 else {
      throw .unavailable(
        place, "a process that is under a filter itself may not read filters, and cordon was started under one",
        remedy: "run it outside of this sandbox")
    }
    if let tracer = status.number("TracerPid"), tracer != 0 { throw traced(id, by: tracer) }
  }

  private static func gone(_ id: Int32) -> CommandFailure {
    .badInput("process \(id)", "there is no such process", remedy: "`ps -e` lists those that there are")
  }

  /// - Parameter tracer: The thread that traces.
  private static func traced(_ id: Int32, by tracer: Int) -> CommandFailure {
    let process = KernelFile.text("/proc/\(tracer)/status").flatMap { ProcessStatus($0).number("Tgid") } ?? tracer
    let name = KernelFile.line("/proc/\(process)/comm").map { " (\($0))" } ?? ""
    return .badInput(
      "process \(id)", "it is already traced, by process \(process)\(name)",
      remedy: "end that tracer first: a process can have only one")
  }

  /// What the kernel's answer means.
  private static func refusal(_ id: Int32, _ error: Errno) -> CommandFailure {
    let place = "process \(id)"
    switch error {
    case .noSuchProcess: return gone(id)
    case .notPermitted:
      // Another tracer may have come in between.
      if let text = KernelFile.text("/proc/\(id)/status"), let tracer = ProcessStatus(text).number("TracerPid"),
        tracer != 0
      {
        return traced(id, by: tracer)
      }
      return .unavailable(
        place, "this user may not trace it",
        remedy: "run as its user or with CAP_SYS_PTRACE; sysctl kernel.yama.ptrace_scope=3 forbids it to everyone")
    case .permissionDenied:
      return .unavailable(
        place, "the kernel wants CAP_SYS_ADMIN in the first user namespace for it",
        remedy: "run it outside of the container, as root")
    case .ioError:
      return .unavailable(
        place, "this kernel cannot show filters", remedy: "it was built without CONFIG_CHECKPOINT_RESTORE")
    default: return .unavailable(place, "its filters cannot be read: \(error)")
    }
  }
}
