import Cordon
import Glibc

/// The machine that figures come from.
package struct Host: Sendable, Hashable {
  /// Release and version, as uname(2) gives them.
  package var kernel: String
  /// The machine's name for its architecture.
  package var architecture: String
  /// The processor's model.
  package var processor: String
  /// Processors this process may run on.
  package var processorCount: Int
  /// What the kernel does about each known processor vulnerability, by name.
  package var mitigations: [String: String]
  /// Whether filters are compiled to machine code.
  package var jit: JITState
  /// The clock source behind CLOCK_MONOTONIC.
  package var clock: String

  /// Asks the running system. What it does not say is "unknown".
  package static func current() -> Host {
    var names = utsname()
    uname(&names)
    return Host(
      kernel: "\(text(of: names.sysname)) \(text(of: names.release))", architecture: text(of: names.machine),
      processor: processorModel(KernelFile.text("/proc/cpuinfo") ?? "") ?? "unknown",
      processorCount: Processors.permitted().count, mitigations: vulnerabilities(), jit: JITState.current(),
      clock: MonotonicClock.source())
  }

  /// The 1, 5 and 15 minute load averages; empty where /proc does not give them.
  package static func load() -> [Double] {
    (KernelFile.line("/proc/loadavg") ?? "").split(separator: " ").prefix(3).compactMap { Double($0) }
  }

  static func processorModel(_ information: String) -> String? {
    information.split(separator: "\n").first { $0.hasPrefix("model name") }.flatMap { line in
      line.split(separator: ":", maxSplits: 1).dropFirst().first.map { String($0.drop { $0 == " " }) }
    }
  }

  private static func vulnerabilities() -> [String: String] {
    let directory = "/sys/devices/system/cpu/vulnerabilities"
    var found: [String: String] = [:]
    for name in KernelFile.names(in: directory) { found[name] = KernelFile.line("\(directory)/\(name)") }
    return found
  }

  private static func text<Characters>(of characters: Characters) -> String {
    withUnsafeBytes(of: characters) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
