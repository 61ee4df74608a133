import FilterCompiler
import Glibc
import TrapEngine

/// Loads a filter that is no session's on the calling thread.
enum FilterLoading {
  /// What seccomp(2) answers: 0, a listener's descriptor, or a negated errno. no_new_privs is set where that is needed.
  static func load(_ program: Program, flags: UInt32) -> Int {
    let result = attempt(program, flags: flags)
    guard result == -Int(EACCES) else { return result }
    ProcessControl.setNoNewPrivileges()
    return attempt(program, flags: flags)
  }

  private static func attempt(_ program: Program, flags: UInt32) -> Int {
    program.instructions.withUnsafeBytes { bytes in
      cordon_seccomp_load(bytes.baseAddress, UInt16(program.instructions.count), flags)
    }
  }
}
