import Cordon

/// What the machine's processors have done since it was started (`/proc/stat`, proc_stat(5)).
package struct ProcessorTimes: Sendable, Hashable {
  /// In ticks, over all processors.
  private let total: Double
  /// Of these, what a hypervisor gave to other machines.
  private let stolen: Double

  /// nil where the kernel does not say.
  package static func current() -> ProcessorTimes? { KernelFile.line("/proc/stat").flatMap(ProcessorTimes.init) }

  /// - Parameter line: `cpu`, and ticks of user, nice, system, idle, iowait, irq, softirq and steal.
  init?(_ line: String) {
    let fields = line.split(separator: " ")
    let ticks = fields.dropFirst().compactMap { Double($0) }
    guard fields.first == "cpu", ticks.count >= 8 else { return nil }
    // What stands behind is counted in the first two already.
    total = ticks.prefix(8).reduce(0, +)
    stolen = ticks[7]
  }

  /// The share of the time since then that a hypervisor gave to other machines; nil where no time has passed.
  package func steal(since before: ProcessorTimes) -> Double? {
    total > before.total ? (stolen - before.stolen) / (total - before.total) : nil
  }
}
