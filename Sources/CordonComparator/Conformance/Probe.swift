import CLinux
import Cordon
import FilterCompiler
import Glibc

/// Tries one capability of one mechanism, in a process that is new and does nothing else.
package struct Probe: Sendable {
  package let mechanism: any MeasuredMechanism
  package let capability: Capability

  package init(_ mechanism: any MeasuredMechanism, _ capability: Capability) {
    self.mechanism = mechanism
    self.capability = capability
  }

  /// Finds out; the calling thread may be left armed.
  package func run() -> Finding {
    do throws(MeasurementError) {
      return try find()
    } catch {
      switch error {
      case .unavailable(let reason): return .unavailable(reason)
      case .failed(let reason): return .broken(reason)
      }
    }
  }

  private func find() throws(MeasurementError) -> Finding {
    switch capability {
    case .manyRegions: return try manyRegions()
    case .nativePasses: return try nativePasses()
    case .executedPrograms: return try executedPrograms()
    case .answersValue: return try answer(.value)
    case .answersError: return try answer(.error)
    case .passesThrough: return try answer(.pass)
    case .redirects: return try answer(.redirect)
    case .underSignals: return try underSignals()
    case .oldInterface: return try oldInterface()
    case .newThreads: return try newThreads()
    case .forkedChildren: return try forkedChildren()
    }
  }

  private static let cannotTell: Finding = .no("it has nothing that answers")

  private func nativePasses() throws(MeasurementError) -> Finding {
    let guest = try mechanism.enter(Guest.getppid, answer: .value)
    let before = guest.counts
    for _ in 0..<100 {
      guard getpid() == linux_call(39, 0, 0, 0, 0, 0, 0) else { return .broken("a native getpid(2) was answered") }
    }
    return guest.counts == before ? .yes : .partly("they trap and are let through")
  }

  private func answer(_ answer: GuestAnswer) throws(MeasurementError) -> Finding {
    guard mechanism.answers.contains(answer) else {
      return mechanism.answers.isEmpty ? Self.cannotTell : .no("the mechanism has no such answer")
    }
    let guest = try mechanism.enter(Guest.getppid, answer: answer)
    return judge(guest.call(times: 3), answer, guest)
  }

  /// Whether the result is the answer. Under `none` everything passes, as it should.
  private func judge(_ result: Int, _ answer: GuestAnswer, _ guest: borrowing Guest) -> Finding {
    if guest.counts == nil { return .no("nothing is trapped") }
    let wanted = answer.result ?? Int(getppid())
    return result == wanted ? .yes : .no("it returned \(result)")
  }

  private func underSignals() throws(MeasurementError) -> Finding {
    guard !mechanism.answers.isEmpty else { return Self.cannotTell }
    let guest = try mechanism.enter(Guest.getppid, answer: .pass)
    guard guest.counts != nil else { return .no("nothing is trapped") }
    let parent = Int(getppid())
    let before = MonotonicClock.now()
    _ = guest.call(times: 10)
    // Every millisecond, and on a machine so slow that nothing would be done in one, once in some calls.
    IntervalTimer.start(every: max(1_000_000, MonotonicClock.now() - before))
    var calls = 0
    // As long as it takes on a slow machine, and some calls on one where every call is interrupted.
    while IntervalTimer.expirations < 25 || calls < 100 {
      let result = guest.call(times: 1)
      guard result == parent else { return .broken("a call returned \(result) instead of \(parent)") }
      calls += 1
    }
    IntervalTimer.stop()
    return .yes
  }

  private func oldInterface() throws(MeasurementError) -> Finding {
    guard mechanism.answers.contains(.value) else { return Self.cannotTell }
    // mov eax, 20 (getpid of i386); int $0x80; ret
    let guest = try mechanism.enter([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3], answer: .value)
    return judge(guest.call(times: 1), .value, guest)
  }

  private func newThreads() throws(MeasurementError) -> Finding {
    guard mechanism.answers.contains(.value) else { return Self.cannotTell }
    let guest = try mechanism.enter(Guest.getppid, answer: .value, scope: .allThreads)
    guard let found = GuestThread.call(guest.entryAddress) else { return .broken("no thread could be made") }
    return judge(found, .value, guest)
  }

  private func forkedChildren() throws(MeasurementError) -> Finding {
    guard mechanism.answers.contains(.value) else { return Self.cannotTell }
    let guest = try mechanism.enter(Guest.getppid, answer: .value, scope: .allThreads)
    // fork(2) itself: the process has one thread, and the child does nothing but call and end.
    let child = linux_call(57, 0, 0, 0, 0, 0, 0)
    if child == 0 {
      alarm(5)
      _exit(guest.call(times: 1) == GuestAnswer.returned ? 0 : 1)
    }
    var status: Int32 = 0
    guard child > 0, waitpid(pid_t(child), &status, 0) == pid_t(child) else { return .broken("no child could be made") }
    if guest.counts == nil { return .no("nothing is trapped") }
    switch status {
    case 0: return .yes
    case 1 << 8: return .no("the child's call is not trapped")
    default: return .no("the child died (status \(status))")
    }
  }

  private func executedPrograms() throws(MeasurementError) -> Finding {
    let guest = try mechanism.enter(Guest.getppid, answer: .value)
    try SpawnWorkload().check(guest, isNative: guest.counts == nil)
    return .yes
  }

  private func manyRegions() throws(MeasurementError) -> Finding {
    guard let session = try mechanism.openSession() else {
      return mechanism.answers.isEmpty ? Self.cannotTell : .no("one region only")
    }
    // The kernel maps one beside the other, so the second lies between the others.
    let first = try CodeMapping(Guest.getppid)
    let between = try CodeMapping(Guest.getppid)
    let last = try CodeMapping(Guest.getppid)
    let before: Session.Statistics
    do throws(SessionError) {
      for start in [UInt64(first.address), UInt64(last.address)] {
        try session.trap(try Self.range(start))
      }
      try session.setHook(GuestAnswer.value.hook)
      try session.activate()
      before = session.statistics
    } catch {
      throw MeasurementError(error)
    }
    let results = [first.address, between.address, last.address].map { address in
      unsafeBitCast(address, to: (@convention(c) () -> Int).self)()
    }
    session.selector?.state = .allow
    let unasked = session.statistics.unasked - before.unasked
    guard results == [GuestAnswer.returned, Int(getppid()), GuestAnswer.returned] else {
      return .broken("the three calls returned \(results)")
    }
    return unasked == 0 ? .yes : .partly("what lies between them traps too and is let through")
  }

  private static func range(_ start: UInt64) throws(SessionError) -> AddressRange {
    do { return try AddressRange(start: start, end: start + 4096) } catch { throw .region(error) }
  }
}
