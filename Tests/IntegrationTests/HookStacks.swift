import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing

/// What a session does in a hook takes none of the stack that is left there: that of a Swift program's main thread, which
/// handlers run on, has 30 KB.
@Suite struct HookStacks {
  /// The smallest alternate stack that a thread is left with, and nothing below it.
  @Test(arguments: mechanisms)
  func `changes in a hook on a small alternate stack`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let outer = try session.mapExecutable(GuestTemplate.getpid.code)
      let ground = try #require(Ground(at: 0x1_0000_0000, size: 0x4000))
      try session.setHook(
        TrapHook { trap in
          guard trap.region == outer else { return .value(4711) }
          do throws(SessionError) {
            try changeAll(of: session, ground)
          } catch {
            Issue.record("thrown: \(error)")
          }
          return .value(4712)
        })
      try session.activate(for: .allThreads)
      let stack = GuardedStack(size: 20 << 10)
      stack.use()
      for round in 1...3 {
        check(call(outer.range.start), 4712, "the call whose hook makes changes")
        check(session.statistics.changes, UInt64(round * 6), "changes")
        check(session.regions.count, 1, "regions")
        check(stack.isInPlace, true, "the alternate stack, afterwards")
      }
    }
  }

  /// Everything traps, and each allocation makes calls: traps in the middle of the change that a hook makes.
  @Test func `a change in a hook is trapped itself`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let session = try Session(default: .trap)
      let log = HookLog()
      let outer = try #require(Ground(at: 0x5_0000_0000, size: 0x1000))
      let start = outer.start
      let ranges = try (1...200).map { try AddressRange(start: start + $0 * 16, end: start + $0 * 16 + 8) }
      nonisolated(unsafe) let raw = log.raw
      // Nothing of this allocates for a call that is not the guest's.
      try session.setHook(
        TrapHook { trap in
          guard trap.instructionAddress == UInt(start) else {
            raw.pointee.outside += 1
            return .pass
          }
          let before = raw.pointee.outside
          guard let made = try? session.change({ change in for range in ranges { change.allow(range) } }),
            (try? session.change({ change in for region in made { change.remove(region) } })) != nil
          else { return .error(.noMemory) }
          raw.pointee.hooked += raw.pointee.outside - before
          return .value(4712)
        })
      try told { () throws(SessionError) in try session.activate() }
      let stack = GuardedStack(size: 64 << 10)
      stack.use()
      guest_map_allocations()
      for _ in 0..<20 { check(outer.call(at: outer.start), 4712, "the call whose hook makes changes") }
      #expect(log.hooked > 20, "traps in the middle of a change: \(log.hooked)")
      check(stack.isInPlace, true, "the alternate stack, afterwards")
    }
  }

  /// The memory-map RFC's calls, by native code.
  @Test func `memory is marked by a thread with a small stack`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let session = try Session(options: [.memoryMapCalls])
      try session.activate(for: .allThreads)
      GuardedStack(size: 20 << 10).use()
      check(nativeCall(Number.seccomp, 4, 0, 0), 0, "the mode")
      let ground = try #require(Ground(at: 0x1_0000_0000, size: 0x3000))
      for _ in 0..<3 {
        check(nativeCall(Number.mprotect, Int(ground.start + 0x1000), 0x1000, 0x47), 0, "mprotect with a mark")
        check(session.regions.map(\.range.start), [ground.start + 0x1000], "where the marks are")
        check(nativeCall(Number.mprotect, Int(ground.start), 0x3000, 7), 0, "mprotect without one")
        check(session.regions.count, 0, "regions")
      }
    }
  }
}

/// Six changes of most kinds; the session has the regions then that it had before.
private func changeAll(of session: Session, _ ground: Ground) throws(SessionError) {
  let code = try session.mapExecutable(GuestTemplate.getpid.code)
  check(call(code.range.start), 4711, "a trap within the hook")
  try session.unmap(code)
  let page = try session.map(4096, [.read, .write, .noSyscall])
  try session.unmap(page)
  let range: AddressRange
  do { range = try AddressRange(start: ground.start + 0x1000, end: ground.start + 0x2000) } catch {
    throw .region(error)
  }
  _ = try session.plan { $0.trap(range) }
  let region = try session.trap(range)
  check(ground.call(at: range.start), 4711, "a region's call")
  try session.remove(region)
}

/// An alternate signal stack with a page below it that faults.
private struct GuardedStack {
  private let start: UnsafeMutableRawPointer
  private let size: Int

  init(size: Int) {
    let memory = mmap(nil, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { preconditionFailure("mmap: \(errno)") }
    mprotect(memory, 4096, PROT_NONE)
    start = memory + 4096
    self.size = size
  }

  /// Makes it the calling thread's.
  func use() {
    var stack = stack_t(ss_sp: start, ss_flags: 0, ss_size: size)
    check(sigaltstack(&stack, nil), 0, "sigaltstack")
  }

  /// Whether the calling thread has it, and is not on it.
  var isInPlace: Bool {
    var stack = stack_t()
    sigaltstack(nil, &stack)
    return stack.ss_sp == start && stack.ss_size == size && stack.ss_flags == 0
  }
}
