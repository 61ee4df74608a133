import CLinux

/// The requests of prctl(2) that are made here. What the kernel does not know changes nothing.
enum ProcessControl {
  /// From now on no program that is executed gains privileges (`PR_SET_NO_NEW_PRIVS`).
  static func setNoNewPrivileges() { set(38, 1) }

  /// This process is killed when the thread that started it ends (`PR_SET_PDEATHSIG`).
  static func endWithParent() { set(1, 9) }

  /// Any process of this user may trace this one, where the Yama module asks (`PR_SET_PTRACER`).
  static func allowTracing() { set(0x5961_6d61, -1) }

  private static func set(_ request: Int, _ value: Int) { _ = linux_call(Int(SYS_prctl), request, value, 0, 0, 0, 0) }
}
