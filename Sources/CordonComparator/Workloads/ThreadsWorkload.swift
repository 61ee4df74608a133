import Cordon
import Glibc
import Synchronization

/// A guest is called by several threads at once, and each call is answered: what they wait for each other.
package struct ThreadsWorkload: Workload {
  /// How many threads call.
  package let count: Int

  package init(_ count: Int) { self.count = count }

  package var name: String { "threads-\(count)" }
  package var summary: String {
    count == 1 ? "as trap-value, by a thread made for it" : "as trap-value, by \(count) threads at once"
  }
  package var parameter: [String: Int] { ["threads": count] }

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool {
    mechanism.answers.contains(.value) && mechanism.followsThreads
  }

  package func measure(
    under mechanism: any MeasuredMechanism, _ conditions: Conditions
  ) throws(MeasurementError) -> Measurement {
    guard count == 1 || conditions.processors.count > 1 else {
      throw .unavailable("threads do not call at once on one processor")
    }
    let guest = try mechanism.enter(Guest.getppid, answer: .value, scope: .allThreads)
    let wanted = guest.counts == nil ? Int(getppid()) : GuestAnswer.returned
    let before = guest.counts
    let crowd = Crowd(guest.entry, size: count, conditions: conditions, answer: wanted)
    let measurement = try crowd.measure()
    if let before, let after = guest.counts {
      try ExpectedTraps.answeredAmongOthers.verify(from: before, to: after, operations: crowd.calls)
    }
    return measurement
  }
}

/// Threads that begin to measure the same calls at the same time.
private final class Crowd: Sendable {
  private let entry: GuestEntry
  private let size: Int
  private let conditions: Conditions
  private let answer: Int
  /// In turn: the first thread stays where all else is measured.
  private let processors: [Int]

  private struct Shared {
    var ready = 0
    var calls: UInt64 = 0
    var measurements: [Measurement] = []
    var wrongAnswer: Int?
  }
  private let shared = Mutex(Shared())
  private let hasBegun = Atomic<Bool>(false)

  init(_ entry: GuestEntry, size: Int, conditions: Conditions, answer: Int) {
    self.entry = entry
    self.size = size
    self.conditions = conditions
    self.answer = answer
    processors =
      conditions.processors.filter { $0 == conditions.processor }
      + conditions.processors.filter { $0 != conditions.processor }
  }

  /// Calls of all threads.
  var calls: UInt64 { shared.withLock { $0.calls } }

  func measure() throws(MeasurementError) -> Measurement {
    let caller = entry.caller()
    var calls: UInt64 = 0
    // All threads make batches of the same size.
    let operations = Measurement.operations(in: conditions.sampling.batch) { count in
      _ = caller.call(times: count)
      calls += UInt64(count)
    }
    shared.withLock { [calls] in $0.calls += calls }
    try start(0, operations)
    let found = shared.withLock { $0 }
    if let wrong = found.wrongAnswer { throw .failed("a thread's call returned \(wrong) instead of \(answer)") }
    return Measurement(operationsPerSample: operations, picoseconds: found.measurements.flatMap(\.picoseconds))
  }

  /// Starts the thread with this index and all after it, lets them go, and waits for them.
  private func start(_ index: Int, _ operations: Int) throws(MeasurementError) {
    guard index < size else {
      while shared.withLock({ $0.ready }) < size { sched_yield() }
      hasBegun.store(true, ordering: .releasing)
      return
    }
    let made = NativeThread { self.work(index, operations) }
    guard let thread = made else {
      hasBegun.store(true, ordering: .releasing)
      throw .failed("\(size) threads could not be made")
    }
    let others = Result { () throws(MeasurementError) in try start(index + 1, operations) }
    thread.join()
    try others.get()
  }

  private func work(_ index: Int, _ operations: Int) {
    if !processors.isEmpty { _ = Processors.pin(to: processors[index % processors.count]) }
    let caller = entry.caller()
    let first = caller.call(times: 1)
    var calls: UInt64 = 1
    shared.withLock { $0.ready += 1 }
    while !hasBegun.load(ordering: .acquiring) { sched_yield() }
    let measurement = Measurement(conditions.sampling, operations: operations) { count in
      _ = caller.call(times: count)
      calls += UInt64(count)
    }
    shared.withLock { [calls] shared in
      shared.calls += calls
      shared.measurements.append(measurement)
      if first != answer { shared.wrongAnswer = first }
    }
  }
}
