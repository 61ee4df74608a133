import Cordon
import Glibc
import Synchronization
import TestSupport
import Testing
import TrapEngine

/// Threads that would answer at once if they were given a processor: a process of realtime priority has that one.
@Suite(.serialized, .enabled(if: hasTwoProcessors)) struct StarvingThreads {
  /// It is no error, however long that takes.
  @Test func `a thread that starves`() async {
    await #expect(processExitsWith: .success) {
      begin()
      _ = try Session()
      let starving = SpinningThread()
      for asks in [attachWhileThreadsStandStill, arm] as [Asks] {
        guard let greedy = greedyProcess(milliseconds: 500) else { break }
        let silence = asks(starving.id, CordonPatience(silent_ms: 100, starved_ms: 30_000))
        check([Int(silence.thread), silence.error], [0, 0], "who has not answered, and why")
        greedy.end()
      }
      starving.end()
    }
  }

  /// libc blocks every signal for a moment, in which a thread may lose its processor.
  @Test func `a thread that starves with every signal blocked`() async {
    await #expect(processExitsWith: .success) {
      begin()
      _ = try Session()
      let starving = SpinningThread(blocksSignals: true)
      guard let greedy = greedyProcess(milliseconds: 500) else { return starving.end() }
      starving.unblockSignals()
      let patience = CordonPatience(silent_ms: 50, starved_ms: 30_000)
      check(ThreadStatus.threadsBlockingSIGSYS(inAllThreads: true, patience: patience), [], "who blocks SIGSYS")
      greedy.end()
      starving.end()
    }
  }

  /// But for the limit.
  @Test func `a thread that starves for longer than it is waited for`() async {
    await #expect(processExitsWith: .success) {
      begin()
      _ = try Session()
      let starving = SpinningThread()
      for asks in [attachWhileThreadsStandStill, arm] as [Asks] {
        guard let greedy = greedyProcess(milliseconds: 30_000) else { break }
        // The kernel keeps a twentieth of each second for what has no such priority, which may be just then. A thread that
        // has answered counts until it has run again.
        var silence = CordonSilence()
        for _ in 0..<10 where silence.error == 0 {
          starving.runSome()
          silence = asks(starving.id, CordonPatience(silent_ms: 50, starved_ms: 200))
        }
        check([Int(silence.thread), silence.error], [Int(starving.id), -Int(ETIMEDOUT)], "who has not, and why")
        greedy.end()
        let later = asks(starving.id, CordonPatience(silent_ms: 50, starved_ms: 30_000))
        check([Int(later.thread), later.error], [0, 0], "who has not answered later, and why")
      }
      starving.end()
    }
  }
}

/// Asks a thread something, by the engine alone: why that was not to be had.
private typealias Asks = (Int32, CordonPatience) -> CordonSilence

/// Has a thread arm itself, which disarms here.
private func arm(_ thread: Int32, _ patience: CordonPatience) -> CordonSilence {
  withUnsafePointer(to: thread) { cordon_dispatch_arm_threads($0, 1, patience) }
}

/// Attaches a filter that allows everything.
private func attachWhileThreadsStandStill(_: Int32, _ patience: CordonPatience) -> CordonSilence {
  attachWhileThreadsStandStill(patience)
}

private let hasTwoProcessors: Bool = {
  if sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 { return true }
  print("threads that starve are not tested here, where there is one processor")
  return false
}()

/// Has the calling thread run on one processor only.
private func runOn(processor: Int) {
  var mask: UInt64 = 1 << UInt64(processor)
  check(nativeCall(203 /* sched_setaffinity */, 0, 8, pointer(to: &mask)), 0, "sched_setaffinity")
}

private func pointer<Value>(to value: inout Value) -> Int {
  withUnsafeMutablePointer(to: &value) { Int(bitPattern: $0) }
}

private final class Progress: Sendable {
  let rounds = Atomic<Int>(0)
}

/// A thread that never waits, on processor 1; the caller runs on processor 0 from then on.
private struct SpinningThread {
  private let stop = Signpost()
  private let mayUnblock = Signpost()
  private let progress = Progress()
  private let identified: IdentifiedThread

  init(blocksSignals: Bool = false) {
    let isReady = Signpost()
    identified = IdentifiedThread { [stop, mayUnblock, progress] in
      runOn(processor: 1)
      var (all, before) = (sigset_t(), sigset_t())
      sigfillset(&all)
      if blocksSignals { pthread_sigmask(SIG_SETMASK, &all, &before) }
      isReady.open()
      while blocksSignals, !mayUnblock.isOpen {}
      if blocksSignals { pthread_sigmask(SIG_SETMASK, &before, nil) }
      while !stop.isOpen { progress.rounds.add(1, ordering: .relaxed) }
      return 0
    }
    runOn(processor: 0)
    isReady.wait()
  }

  /// Waits until it has run, and for as long again as the kernel lets it.
  func runSome() {
    let before = progress.rounds.load(ordering: .relaxed)
    while progress.rounds.load(ordering: .relaxed) == before { usleep(1_000) }
    usleep(100_000)
  }

  func unblockSignals() { mayUnblock.open() }

  var id: Int32 { identified.id }

  func end() {
    mayUnblock.open()
    stop.open()
    identified.thread.join()
  }
}

/// A process of realtime priority that has processor 1 for so long, at most; nil where this user may not.
private func greedyProcess(milliseconds: Int) -> OtherProcess? {
  OtherProcess(elseSay: "threads that starve are not tested here, since this user may not set realtime priorities") {
    runOn(processor: 1)
    var priority: Int32 = 1
    let (setScheduler, firstInFirstOut) = (144, 1)
    return nativeCall(setScheduler, 0, firstInFirstOut, pointer(to: &priority)) == 0
  } goesOn: {
    clock() < milliseconds * 1_000
  }
}
