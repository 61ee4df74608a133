import Cordon
import CordonComparator

/// Facts about the machine and its kernel.
enum HostFacts {
  static func all(_ host: Host) -> [Fact] {
    [
      .value("host.kernel", "kernel", host.kernel),
      .check(
        "host.architecture", "architecture", value: host.architecture,
        reason: host.architecture == "x86_64" ? nil : "trapped calls can be answered on x86_64 only",
        remedy: "filters for other machines can be compiled here all the same"),
      .value("host.cpu", "processor", host.processor),
      processors(host.processorCount),
      clock(host.clock),
      jit(host.jit),
      .value("host.vsyscall", "vsyscall page", vsyscall(maps: KernelFile.text("/proc/self/maps") ?? "")),
    ]
  }

  /// What is measured with several threads needs more than one.
  static func processors(_ count: Int) -> Fact {
    .check(
      "host.processors", "processors for threads that run at once", value: "\(count)",
      reason: count > 1 ? nil : "this process may use one only",
      remedy: "start it without taskset, or give the machine another")
  }

  static func clock(_ source: String) -> Fact {
    .check(
      "host.clock", "time is read without a system call", value: source,
      reason: MonotonicClock.quickSources.contains(source) ? nil : "the clock source is \(source)",
      remedy: "boot with clocksource=tsc; measuring takes longer otherwise")
  }

  /// The bitmap of calls that are always allowed (Linux 5.11, CONFIG_SECCOMP_CACHE_DEBUG apart always there on x86-64). The
  /// kernel does not tell, so its release has to.
  static func bitmap(_ kernel: String) -> Fact {
    let release = kernel.split(separator: " ").last.map(String.init) ?? kernel
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard numbers.count == 2 else {
      return Fact(
        name: "seccomp.bitmap", title: "calls that are always allowed skip the filter", answer: .unknown, since: "5.11",
        reason: "the release '\(release)' is no number")
    }
    return .check(
      "seccomp.bitmap", "calls that are always allowed skip the filter", since: "5.11",
      reason: (numbers[0], numbers[1]) >= (5, 11) ? nil : "this is Linux \(numbers[0]).\(numbers[1])",
      remedy: "use Linux 5.11 or later; filters work without, and cost these calls more")
  }

  static func jit(_ state: JITState) -> Fact {
    let name = "host.bpf_jit"
    let title = "filters compiled to machine code"
    let remedy = "sysctl net.core.bpf_jit_enable=1"
    switch state {
    case .on: return .check(name, title, reason: nil)
    case .debugging:
      return .check(
        name, title, value: "each program is printed to the kernel log, which is slow; \(remedy)", reason: nil)
    case .off:
      return .check(
        name, title, reason: "net.core.bpf_jit_enable is 0, so every system call interprets the filter", remedy: remedy)
    case .unknown:
      return Fact(
        name: name, title: title, answer: .unknown, reason: "net.core.bpf_jit_enable cannot be read",
        remedy: "read it as root")
    }
  }

  /// The page of three calls at a fixed address. Filters see its calls; syscall user dispatch does not.
  static func vsyscall(maps: String) -> String {
    guard let line = maps.split(separator: "\n").first(where: { $0.hasSuffix("[vsyscall]") }) else {
      return "none: its calls end in SIGSEGV"
    }
    return line.contains("r-xp") ? "emulated, readable" : "emulated, execute only"
  }
}
