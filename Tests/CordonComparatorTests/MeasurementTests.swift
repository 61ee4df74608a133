import Glibc
import Testing

@testable import CordonComparator

/// Long enough to take samples, short enough to be no burden.
private let brief = Sampling(warmUp: 100_000, duration: 2_000_000, batch: 20_000)

@Suite struct MeasurementTests {
  @Test func `samples are taken of exactly the operations that were done`() {
    var batches: [Int] = []
    let measurement = Measurement(brief) { operations in
      batches.append(operations)
      for _ in 0..<operations { _ = getppid() }
    }
    #expect(!measurement.picoseconds.isEmpty)
    #expect(measurement.operationsPerSample >= 1)
    #expect(batches.suffix(measurement.picoseconds.count).allSatisfy { $0 == measurement.operationsPerSample })
  }

  @Test func `an operation that is longer than a batch is a batch of its own`() {
    let measurement = Measurement(Sampling(warmUp: 0, duration: 1_000, batch: 1_000)) { operations in
      for _ in 0..<operations { usleep(200) }
    }
    #expect(measurement.operationsPerSample == 1)
    #expect(measurement.picoseconds.count == 1)
  }

  @Test func `the guest is called natively under none`() throws {
    let guest = try NativeMechanism().enter(Guest.getppid, answer: .value)
    #expect(guest.call(times: 3) == Int(getppid()))
    #expect(guest.counts == nil)
  }

  // A supervisor and what runs programs are the program `cordon`, which tests are not; CommandLineTests have it measure.
  @Test(arguments: Roster.combinations().filter { SupervisionKind(rawValue: $0.mechanism) == nil && !$0.isProgram })
  func `a measuring process measures, and exactly the calls trap that should`(_ combination: Combination) async {
    await #expect(processExitsWith: .exitCode(0)) {
      [mechanism = combination.mechanism as String, workload = combination.workload as String] in
      alarm(900)
      let sampling = Sampling(warmUp: 100_000, duration: 2_000_000, batch: 20_000)
      let process = MeasuringProcess(
        mechanism: mechanism, workload: workload, sampling: sampling, processor: Processors.permitted().last)
      switch process.run() {
      case .measured(let measurement): exit(measurement.picoseconds.isEmpty ? 1 : 0)
      case .unavailable(let reason):
        print("\(mechanism) is not measured: \(reason)")
        exit(0)
      case .failed(let reason):
        print("\(mechanism) \(workload): \(reason)")
        exit(2)
      }
    }
  }

  @Test func `traps that should not be make a measurement fail`() {
    let nothing = counted(traps: 0, hooked: 0, passed: 0)
    #expect(throws: Never.self) { try ExpectedTraps.none.verify(from: nothing, to: nothing, operations: 5) }
    #expect(throws: MeasurementError.self) {
      try ExpectedTraps.none.verify(from: nothing, to: counted(traps: 1, hooked: 0, passed: 1), operations: 5)
    }
    #expect(throws: MeasurementError.self) {
      try ExpectedTraps.answered.verify(from: nothing, to: counted(traps: 4, hooked: 4, passed: 0), operations: 5)
    }
    // Calls of other threads that are let through do not count, and those that reach the hook do.
    #expect(throws: Never.self) {
      try ExpectedTraps.answeredAmongOthers.verify(
        from: nothing, to: counted(traps: 7, hooked: 5, passed: 2), operations: 5)
    }
    #expect(throws: MeasurementError.self) {
      try ExpectedTraps.answeredAmongOthers.verify(
        from: nothing, to: counted(traps: 7, hooked: 6, passed: 1), operations: 5)
    }
    #expect(throws: Never.self) {
      try ExpectedTraps.passed.verify(from: nothing, to: counted(traps: 5, hooked: 5, passed: 5), operations: 5)
    }
  }

  private func counted(traps: UInt64, hooked: UInt64, passed: UInt64) -> ExpectedTraps.Counts {
    ExpectedTraps.Counts(traps: traps, hooked: hooked, passed: passed)
  }

  @Test func `a combination that does not exist is a failure of the caller`() {
    let process = MeasuringProcess(mechanism: "none", workload: "activation", sampling: brief, processor: nil)
    guard case .failed = process.run() else {
      Issue.record("it was measured")
      return
    }
  }
}

@Suite struct OneProcessorTests {
  @Test(arguments: ["threads-2", "threads-8", "storm"])
  func `what needs two processors says so on one`(workload: String) throws {
    let workload = try #require(Roster.workloads.first { $0.name == workload })
    let conditions = Conditions(sampling: brief, processor: 0, processors: [0])
    #expect(throws: MeasurementError.self) { try workload.measure(under: NativeMechanism(), conditions) }
    do throws(MeasurementError) {
      _ = try workload.measure(under: NativeMechanism(), conditions)
    } catch {
      guard case .unavailable(let reason) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(reason.contains("processor"))
    }
  }

  @Test func `one thread needs no second processor`() throws {
    let measurement = try ThreadsWorkload(1).measure(
      under: NativeMechanism(), Conditions(sampling: brief, processor: nil, processors: Processors.permitted()))
    #expect(!measurement.picoseconds.isEmpty)
  }
}

@Suite struct ProcessorTests {
  @Test func `a thread can stay on a processor it may run on, and not on one that cannot be`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      let permitted = Processors.permitted()
      guard let last = permitted.last, permitted == permitted.sorted() else { exit(1) }
      guard Processors.pin(to: last), Processors.permitted() == [last] else { exit(2) }
      exit(Processors.pin(to: -1) || Processors.pin(to: 1 << 20) ? 3 : 0)
    }
  }
}
