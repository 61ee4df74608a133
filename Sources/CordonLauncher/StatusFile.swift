import Cordon
import LauncherShims

/// What /proc/PROCESS/status says (proc_pid_status(5)).
enum StatusFile {
  /// A field; nil where the process is gone.
  static func field(_ name: String, of process: Int32) -> String? {
    KernelFile.field(name, of: "/proc/\(process)/status")
  }

  /// The process that a thread is of; the thread's own number where it is the first one, or gone.
  static func process(of thread: Int32) -> Int32 {
    if cordon_is_first_thread(thread) != 0 { return thread }
    return field("Tgid", of: thread).flatMap { Int32($0) } ?? thread
  }
}
