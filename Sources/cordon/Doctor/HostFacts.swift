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
      jit(host.jit),
      .value("host.vsyscall", "vsyscall page", vsyscall(maps: KernelFile.text("/proc/self/maps") ?? "")),
    ]
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
