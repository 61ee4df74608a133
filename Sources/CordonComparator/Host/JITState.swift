import Cordon

/// Whether the kernel compiles filters to machine code (net.core.bpf_jit_enable).
package enum JITState: String, Sendable, Hashable {
  case on
  /// On, and each program is printed to the kernel log.
  case debugging = "on, debugging"
  case off
  /// The kernel does not say.
  case unknown

  package static func current() -> JITState {
    JITState(setting: KernelFile.line("/proc/sys/net/core/bpf_jit_enable"))
  }

  init(setting: String?) {
    self =
      switch setting {
      case "0": .off
      case "1": .on
      case "2": .debugging
      default: .unknown
      }
  }
}
