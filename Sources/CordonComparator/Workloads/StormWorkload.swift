import Cordon
import Glibc
import Synchronization

/// A guest's calls are answered while another thread changes the session's regions without pause: how long the slow ones
/// among them take. Every call is a sample.
package struct StormWorkload: Workload {
  package let name = "storm"
  package let summary = "as trap-value, a sample a call, while regions change nonstop"

  package init() {}

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool {
    mechanism.takesChanges && mechanism.answers.contains(.value)
  }

  package func measure(
    under mechanism: any MeasuredMechanism, _ conditions: Conditions
  ) throws(MeasurementError) -> Measurement {
    let others = conditions.processors.filter { $0 != conditions.processor }
    guard let other = others.first, conditions.processors.count > 1 else {
      throw .unavailable("the changes need a processor of their own, and this process may use one")
    }
    let guest = try mechanism.enter(Guest.getppid, answer: .value, scope: .allThreads)
    let before = guest.counts
    var operations: UInt64 = 0
    let sample = {
      Measurement(conditions.sampling, operations: 1) { count in
        _ = guest.call(times: count)
        operations += UInt64(count)
      }
    }
    let measurement: Measurement
    if let regions = guest.liveRegions {
      measurement = try ChangeStorm(regions, on: other).blow(during: sample)
    } else {
      measurement = sample()
    }
    if let before, let after = guest.counts {
      try ExpectedTraps.answeredAmongOthers.verify(from: before, to: after, operations: operations)
    }
    return measurement
  }
}

/// A region beside the guest comes and goes, as fast as it can.
private final class ChangeStorm: Sendable {
  private let regions: SessionRegions
  private let processor: Int
  private let isOver = Atomic<Bool>(false)
  private let changes = Atomic<Int>(0)
  private let error = Mutex<MeasurementError?>(nil)
  private let neighbour: Mutex<Region?>

  init(_ regions: SessionRegions, on processor: Int) throws(MeasurementError) {
    self.regions = regions
    self.processor = processor
    neighbour = Mutex(try regions.map(Guest.getppid))
  }

  /// Changes regions as long as `body` runs, from before it begins.
  func blow<Result>(during body: () -> Result) throws(MeasurementError) -> Result {
    let made = NativeThread { self.change() }
    guard let thread = made else { throw .failed("no thread could be made") }
    while changes.load(ordering: .relaxed) == 0, error.withLock({ $0 }) == nil { sched_yield() }
    let result = body()
    isOver.store(true, ordering: .relaxed)
    thread.join()
    if let error = error.withLock({ $0 }) { throw error }
    return result
  }

  private func change() {
    _ = Processors.pin(to: processor)
    do throws(MeasurementError) {
      while !isOver.load(ordering: .relaxed), let region = neighbour.withLock({ $0 }) {
        try regions.release(region)
        let next = try regions.trap(region.range)
        neighbour.withLock { $0 = next }
        changes.wrappingAdd(2, ordering: .relaxed)
      }
    } catch {
      self.error.withLock { $0 = error }
    }
  }
}
