import Glibc
import Synchronization
import Testing
import TrapEngine

@testable import Cordon

/// Runs `body` in `count` threads of pthread_create's at once, and waits for them.
func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  final class Work: Sendable {
    let body: @Sendable (Int) -> Void
    let next = Atomic<Int>(0)
    init(_ body: @escaping @Sendable (Int) -> Void) { self.body = body }
  }
  let work = Work(body)
  var threads = [pthread_t](repeating: pthread_t(), count: count)
  for index in 0..<count {
    pthread_create(
      &threads[index], nil,
      { pointer in
        guard let pointer else { return nil }
        let work = Unmanaged<Work>.fromOpaque(pointer).takeUnretainedValue()
        work.body(work.next.wrappingAdd(1, ordering: .relaxed).oldValue)
        return nil
      }, Unmanaged.passUnretained(work).toOpaque())
  }
  for thread in threads { pthread_join(thread, nil) }
  withExtendedLifetime(work) {}
}

@Suite struct SessionThreadsTests {
  /// libc blocks every signal in a thread that it is about to start.
  @Test func `a thread that is being started does not count as blocking SIGSYS`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      _ = cordon_engine_prepare()
      let stop = Atomic<Bool>(false)
      let found = Mutex<[Int32]>([])
      inThreads(2) { index in
        if index == 0 {
          while !stop.load(ordering: .relaxed) { inThreads(4) { _ in } }
        } else {
          for _ in 0..<300 {
            let blocking = ThreadStatus.threadsBlockingSIGSYS(inAllThreads: true)
            found.withLock { $0 += blocking }
          }
          stop.store(true, ordering: .relaxed)
        }
      }
      exit(found.withLock { $0.isEmpty } ? 0 : 1)
    }
  }

  /// The gate is made by whoever comes first.
  @Test func `the first sessions of a process, opened at once`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      let gates = Mutex<Set<UInt64>>([])
      let ready = Atomic<Int>(0)
      inThreads(8) { _ in
        ready.wrappingAdd(1, ordering: .relaxed)
        while ready.load(ordering: .relaxed) < 8 {}
        if (try? Session()) != nil, let gate = try? Session.gate() {
          gates.withLock { _ = $0.insert(gate.start) }
        }
      }
      guard gates.withLock({ $0.count }) == 1 else { exit(1) }
      // Everything traps but the gate, so whatever lies outside of the one that counts would not come back.
      let session = try Session(default: .trap)
      try session.setHook(TrapHook(function: { _, _ in .init(kind: .pass, reserved: 0, value: 0) }))
      try session.activate(for: .allThreads)
      exit(getppid() > 0 ? 0 : 2)
    }
  }
}
