import CLinux
import SystemPackage
import TrapEngine

/// Facts about seccomp: filter mode, actions and flags.
enum SeccompFacts {
  static let filterName = "seccomp.filter"
  static let trapName = "seccomp.action.trap"

  static func all(kernel: String) -> [Fact] {
    [filter()] + actions.map { $0.fact() } + flags.map { $0.fact() } + [HostFacts.bitmap(kernel)]
  }

  private static func filter() -> Fact {
    let result = cordon_seccomp_probe(0)
    return .check(
      filterName, "filters", since: "3.5", reason: reason(against: result),
      remedy: "build the kernel with CONFIG_SECCOMP_FILTER, or allow seccomp(2) in the container's profile")
  }

  /// What an answer other than 0 means.
  static func reason(against result: Int) -> String? {
    switch Errno(rawValue: Int32(-result)) {
    case _ where result == 0: nil
    case .invalidArgument, .notSupported: "this kernel does not know it"
    case .noFunction: "this kernel has no seccomp(2), or a filter around this process hides it"
    case let errno: "the kernel answers \(errno); a filter around this process may forbid it"
    }
  }

  /// What a filter can answer (SECCOMP_RET_…).
  private struct Action {
    let name: String
    let value: UInt32
    let since: String

    func fact() -> Fact {
      .check(
        "seccomp.action.\(name)", "action \(name)", since: since, reason: reason(),
        remedy: "use Linux \(since) or later")
    }

    /// SECCOMP_GET_ACTION_AVAIL is younger than the first actions; a kernel without it has just those.
    private func reason() -> String? {
      let filters = cordon_seccomp_probe(0)
      guard filters == 0 else { return SeccompFacts.reason(against: filters) }
      let result = withUnsafePointer(to: value) { SeccompFacts.call(operation: 2, $0) }
      guard result == -Int(Errno.invalidArgument.rawValue) else { return SeccompFacts.reason(against: result) }
      return since == "3.5" ? nil : "this kernel cannot be asked, so it is older than Linux 4.14"
    }
  }

  private static let actions = [
    Action(name: "kill_process", value: 0x8000_0000, since: "4.14"),
    Action(name: "kill_thread", value: 0x0000_0000, since: "3.5"),
    Action(name: "trap", value: 0x0003_0000, since: "3.5"),
    Action(name: "errno", value: 0x0005_0000, since: "3.5"),
    Action(name: "user_notif", value: 0x7fc0_0000, since: "5.0"),
    Action(name: "trace", value: 0x7ff0_0000, since: "3.5"),
    Action(name: "log", value: 0x7ffc_0000, since: "4.14"),
    Action(name: "allow", value: 0x7fff_0000, since: "3.5"),
  ]

  /// How a filter can be loaded (SECCOMP_FILTER_FLAG_…).
  private struct Flag {
    let name: String
    let value: UInt32
    let since: String
    let use: String
    /// Flags that must stand beside it for the kernel to look at it at all.
    var company: UInt32 = 0

    func fact() -> Fact {
      .check(
        "seccomp.flag.\(name.lowercased())", "flag \(name)", since: since, value: use,
        reason: SeccompFacts.reason(against: cordon_seccomp_probe(value | company)),
        remedy: "use Linux \(since) or later")
    }
  }

  private static let newListener: UInt32 = 1 << 3

  private static let flags = [
    Flag(name: "TSYNC", value: 1 << 0, since: "3.17", use: "loads a filter into all threads"),
    Flag(name: "LOG", value: 1 << 1, since: "4.14", use: "logs what a filter refuses"),
    Flag(name: "SPEC_ALLOW", value: 1 << 2, since: "4.17", use: "keeps speculation mitigations as they are"),
    Flag(name: "NEW_LISTENER", value: newListener, since: "5.0", use: "hands calls to another process"),
    Flag(name: "TSYNC_ESRCH", value: 1 << 4, since: "5.7", use: "TSYNC beside NEW_LISTENER"),
    Flag(
      name: "WAIT_KILLABLE_RECV", value: 1 << 5, since: "5.19", use: "no signal but a deadly one ends a handed call",
      company: newListener),
  ]

  /// seccomp(2): 0 or -errno.
  private static func call(operation: Int, _ argument: UnsafeRawPointer) -> Int {
    linux_call(Int(SYS_seccomp), operation, 0, Int(bitPattern: argument), 0, 0, 0)
  }
}
