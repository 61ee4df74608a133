import CLinux
import Glibc
import SystemPackage
import TrapEngine

/// Facts about filters that hand calls to another process (seccomp_unotify(2)), on which `cordon run` and the mechanism
/// user-notif rest.
enum ListenerFacts {
  static func all() -> [Fact] { [continues(), addsDescriptors(), takesDescriptors()] }

  private static func continues() -> Fact {
    var response = seccomp_notif_resp()
    response.flags = 1
    return ask(
      "seccomp.listener.continue", "a handed call can be let through", since: "5.5", "SECCOMP_USER_NOTIF_FLAG_CONTINUE",
      request: 0xc018_2101, &response)
  }

  private static func addsDescriptors() -> Fact {
    // struct seccomp_notif_addfd: the notification, flags (SECCOMP_ADDFD_FLAG_SEND), the descriptor here and there, its flags.
    var addition: (UInt64, UInt32, UInt32, UInt32, UInt32) = (0, 2, 0, 0, 0)
    return ask(
      "seccomp.listener.addfd", "a handed call can be answered with a descriptor", since: "5.14",
      "SECCOMP_ADDFD_FLAG_SEND",
      request: 0x4018_2103, &addition)
  }

  /// Asks a listener, of a notification that there is not: what the kernel knows it answers with ENOENT.
  private static func ask<Argument>(
    _ name: String, _ title: String, since: String, _ value: String, request: UInt, _ argument: inout Argument
  ) -> Fact {
    let end = withUnsafeMutablePointer(to: &argument) { argument in
      ForkedTrial.run {
        _ = linux_call(Int(SYS_prctl), 38, 1, 0, 0, 0, 0)  // PR_SET_NO_NEW_PRIVS
        // return allow
        var instruction: UInt64 = 0x7fff_0000_0000_0006
        let listener = withUnsafePointer(to: &instruction) { cordon_seccomp_load($0, 1, 1 << 3) }
        guard listener >= 0 else { return Int32(truncatingIfNeeded: -listener) }
        return Int32(
          truncatingIfNeeded: -linux_call(
            Int(SYS_ioctl), listener, Int(bitPattern: request), Int(bitPattern: argument), 0, 0, 0))
      }
    }
    return .check(
      name, title, since: since, value: value, reason: reason(end),
      remedy: "use Linux \(since) or later; without it `cordon run` cannot follow what a program executes")
  }

  static func reason(_ end: ForkedTrial.End) -> String? {
    switch end {
    case .status(ENOENT): nil
    case .status(EBUSY): "a filter around this process has a listener already, and there can be one"
    case .status(let answer): SeccompFacts.reason(against: -Int(answer)) ?? "the kernel takes it for something else"
    case .signal(let signal): "trying it ended a process with signal \(signal)"
    case .notMade: "no process can be made to try it"
    }
  }

  /// pidfd_open(2) and pidfd_getfd(2), tried on this process itself.
  private static func takesDescriptors() -> Fact {
    let name = "process.pidfd"
    let title = "descriptors of other processes can be taken over"
    let remedy = "use Linux 5.6 or later, or allow pidfd_open(2) and pidfd_getfd(2) in the container's profile"
    let process = linux_call(434, Int(getpid()), 0, 0, 0, 0, 0)
    guard process >= 0 else {
      return .check(
        name, title, since: "5.6", reason: "pidfd_open: \(Errno(rawValue: Int32(-process)))", remedy: remedy)
    }
    defer { close(Int32(process)) }
    let copy = linux_call(438, process, process, 0, 0, 0, 0)
    if copy >= 0 { close(Int32(copy)) }
    return .check(
      name, title, since: "5.6", reason: copy < 0 ? "pidfd_getfd: \(Errno(rawValue: Int32(-copy)))" : nil,
      remedy: remedy)
  }
}
