import FoundationEssentials
import Glibc

/// What the measuring process does: one combination, in a process that is new and does nothing else.
package struct MeasuringProcess: Sendable {
  package var mechanism: String
  package var workload: String
  package var sampling: Sampling
  /// The processor to stay on; nil leaves it to the scheduler.
  package var processor: Int?
  /// The folder with what real programs work on.
  package var material: String?

  package init(mechanism: String, workload: String, sampling: Sampling, processor: Int?, material: String? = nil) {
    self.mechanism = mechanism
    self.workload = workload
    self.sampling = sampling
    self.processor = processor
    self.material = material
  }

  /// Measures in the calling thread, which may be left armed.
  package func run() -> Reply {
    guard let mechanism = Roster.mechanisms.first(where: { $0.name == mechanism }),
      let workload = Roster.workloads.first(where: { $0.name == workload }),
      workload.isMeasured(under: mechanism)
    else { return .failed(reason: "there is no such combination") }
    let conditions = Conditions(
      sampling: sampling, processor: processor, processors: Processors.permitted(), material: material)
    // Refused where the processor is not ours any more: the figures are then a little noisier, not wrong.
    if let processor { _ = Processors.pin(to: processor) }
    do throws(MeasurementError) {
      return .measured(try workload.measure(under: mechanism, conditions))
    } catch {
      switch error {
      case .unavailable(let reason): return .unavailable(reason: reason)
      case .failed(let reason): return .failed(reason: reason)
      }
    }
  }
}
