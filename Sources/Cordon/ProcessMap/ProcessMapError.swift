package import SystemPackage

/// Why code of a process could not be found.
package enum ProcessMapError: Error, Hashable, Sendable {
  /// There is no such process, or no longer.
  case noSuchProcess(Int32)
  /// The process is somebody else's.
  case notPermitted(Int32)
  /// A kernel thread, or a process that has ended and has not been waited for.
  case noAddressSpace(Int32)
  /// Code was mapped or unmapped during every reading.
  case changing(Int32)
  /// /proc said something unexpected.
  case unreadable(Int32, Errno)
  /// No mapping has such a name; `near` are those of the names `present` that resemble it.
  case noSuchModule(String, process: Int32, near: [String], present: [String])
  /// The module is mapped, and none of it is executable.
  case noCode(String, process: Int32)
}

extension ProcessMapError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noSuchProcess(let process): "there is no process \(process)"
    case .notPermitted(let process): "the memory map of process \(process) may not be read"
    case .noAddressSpace(let process): "process \(process) has no address space: a kernel thread, or a zombie"
    case .changing(let process): "process \(process) keeps mapping and unmapping code while it is looked at"
    case .unreadable(let process, let errno): "the memory map of process \(process) cannot be read: \(errno)"
    case .noSuchModule(let name, let process, _, _): "nothing mapped in process \(process) matches '\(name)'"
    case .noCode(let name, let process): "what matches '\(name)' in process \(process) has no executable mapping"
    }
  }

  /// What to do about it, where there is something to do.
  package var remedy: String? {
    switch self {
    case .noSuchProcess: "`ps -e` lists the processes; a process in another PID namespace has another number here"
    case .notPermitted: "run as the user that the process belongs to, or with CAP_SYS_PTRACE"
    case .noAddressSpace: "name the process that runs the program"
    case .changing(let process): "stop it for the moment: kill -STOP \(process), and kill -CONT \(process) afterwards"
    case .unreadable: nil
    case .noSuchModule(_, let process, let near, let present):
      if !near.isEmpty {
        "did you mean \(Self.list(near))?"
      } else if (1...12).contains(present.count) {
        "code is mapped there from \(Self.list(present))"
      } else {
        "/proc/\(process)/maps lists what is mapped"
      }
    case .noCode(_, let process): "/proc/\(process)/maps lists what is mapped; only code can issue calls"
    }
  }

  private static func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }
}
