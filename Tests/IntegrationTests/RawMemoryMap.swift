import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing

/// A program written to the memory-map RFC's own interface, in C, run on a session that has it.
@Suite struct RawMemoryMap {
  private static let memories: [GuestMemory] = [.placed, .chosen, .unpacked]

  @Test(arguments: memories.map(\.rawValue))
  func `marks count from when the mode is switched on`(_ memory: UInt32) async {
    await #expect(processExitsWith: .success) { [memory = memory as UInt32] in
      let memory = try start(memory)
      check(guest_map_before_marks_count(memory), 0, "line")
    }
  }

  @Test(arguments: memories.map(\.rawValue))
  func `marks of parts of mappings`(_ memory: UInt32) async {
    await #expect(processExitsWith: .success) { [memory = memory as UInt32] in
      let memory = try start(memory)
      check(guest_map_switch_on(1), 0, "line")
      for _ in 0..<3 { check(guest_map_parts(memory), 0, "line") }
    }
  }

  @Test(arguments: memories.map(\.rawValue))
  func `marks move with their memory`(_ memory: UInt32) async {
    await #expect(processExitsWith: .success) { [memory = memory as UInt32] in
      let memory = try start(memory)
      check(guest_map_switch_on(0), 0, "line")
      for _ in 0..<3 {
        check(guest_map_moves(memory), 0, "line")
        check(guest_map_copies(memory), 0, "line")
      }
    }
  }

  @Test func `a move that fails has unmapped what it was to replace`() async {
    await #expect(processExitsWith: .success) {
      let session = try openSession()
      check(guest_map_switch_on(0), 0, "line")
      check(guest_map_lost_target(), 0, "line")
      check(session.regions.count, 0, "regions")
    }
  }

  @Test(arguments: memories.map(\.rawValue))
  func `shared memory and pages of files in the place of marked memory`(_ memory: UInt32) async {
    await #expect(processExitsWith: .success) { [memory = memory as UInt32] in
      let memory = try start(memory)
      check(guest_map_switch_on(0), 0, "line")
      for _ in 0..<3 {
        check(guest_map_segments(memory), 0, "line")
        check(guest_map_file_pages(memory), 0, "line")
      }
    }
  }

  @Test func `marked memory below the break`() async {
    await #expect(processExitsWith: .success) {
      let session = try openSession()
      check(guest_map_switch_on(0), 0, "line")
      check(guest_map_break(), 0, "line")
      check(session.regions.count, 0, "regions")
    }
  }

  @Test(arguments: memories.map(\.rawValue))
  func `what the kernel refuses`(_ memory: UInt32) async {
    await #expect(processExitsWith: .success) { [memory = memory as UInt32] in
      let memory = try start(memory)
      check(guest_map_switch_on(0), 0, "line")
      check(guest_map_bad_calls(memory), 0, "line, or 10,000 + 1,000 x the call + its errno")
    }
  }

  @Test(arguments: memories.map(\.rawValue))
  func `marks and mode are copied by fork`(_ memory: UInt32) async {
    await #expect(processExitsWith: .success) { [memory = memory as UInt32] in
      let memory = try start(memory)
      check(guest_map_switch_on(0), 0, "line")
      check(guest_map_forks(memory), 0, "line")
    }
  }

  /// Threads mark and unmark, and others allocate and free, which the same calls are made for.
  @Test(arguments: memories.map(\.rawValue))
  func `threads`(_ memory: UInt32) async {
    await #expect(processExitsWith: .success) { [memory = memory as UInt32] in
      let memory = try start(memory)
      check(guest_map_switch_on(0), 0, "line")
      let stop = Signpost()
      let allocating = (0..<2).map { _ in
        TestThread {
          var count = 0
          repeat {
            guard let large = malloc(300_000) else { return -1 }
            memset(large, 1, 300_000)
            let thread = TestThread { 1 }
            free(realloc(large, 600_000))
            count += thread.join()
          } while !stop.isOpen
          return count
        }
      }
      let marking = (0..<4).map { _ in
        TestThread {
          for _ in 0..<100 {
            let line = guest_map_round(memory)
            if line != 0 { return Int(line) }
          }
          return 0
        }
      }
      check(marking.map { $0.join() }, [0, 0, 0, 0], "lines")
      stop.open()
      #expect(allocating.allSatisfy { $0.join() > 0 })
    }
  }

  /// What it costs everybody else: no trap, unless memory is marked where others have theirs.
  @Test(arguments: memories.map(\.rawValue))
  func `other code's calls about other memory`(_ memory: UInt32) async {
    await #expect(processExitsWith: .success) { [memory = memory as UInt32] in
      let isUnpacked = memory == GuestMemory.unpacked.rawValue
      let session = try openSession()
      check(guest_map_switch_on(0), 0, "line")
      check(guest_map_parts(GuestMemory(rawValue: memory) ?? .placed), 0, "line")
      check(session.statistics.endangersPrograms, isUnpacked, "the danger")
      let before = session.statistics.traps
      let pages = mmap(nil, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      check(mprotect(pages, 4096, PROT_READ), 0, "mprotect")
      check(munmap(pages, 8192), 0, "munmap")
      check(session.statistics.traps, before + (isUnpacked ? 2 : 0), "traps")
      guard !isUnpacked else { return }
      for _ in 0..<20 {
        var pid: pid_t = 0
        let words: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup("true & wait; exit 7"), nil]
        check(posix_spawn(&pid, "/bin/sh", nil, nil, words, [nil]), 0, "posix_spawn")
        var status: Int32 = -1
        check(waitpid(pid, &status, 0), pid, "waitpid")
        check(status, 7 << 8, "the status of a program executed meanwhile")
      }
    }
  }

  /// With a hook of the session's that is asked first; and for calls that trapped code makes itself.
  @Test func `with a hook`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("automatic", options: [.memoryMapCalls])
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      check(guest.session.choice?.mechanism, .seccomp, "the mechanism")
      check(guest.call(Number.seccomp, 4, 1, 0), -Int(EINVAL), "with TSYNC")
      check(guest.call(Number.seccomp, 4, 0, 0), 0, "the mode")
      let protection = Int(PROT_READ | PROT_WRITE | PROT_EXEC) | 0x40
      let at = guest.call(Number.mmap, 0, 4096, protection, Int(MAP_PRIVATE | MAP_ANONYMOUS), -1, 0)
      guest_write(UInt64(at), GuestTemplate.getpid.code, GuestTemplate.getpid.code.count)
      check(call(UInt64(at)), 4711, "a marked call")
      check(guest.call(Number.munmap, at, 4096), 0, "munmap")
      check(guest.session.regions.count, 1, "regions")
    }
  }

  @Test func `sessions that cannot have it`() async {
    await #expect(processExitsWith: .success) {
      for name in mechanisms where name != "seccomp" {
        let mechanism = try #require(Mechanism(rawValue: name))
        #expect(throws: SessionError.inexpressible(mechanism, reason: "it cannot trap calls by their numbers")) {
          try Session(mechanism: mechanism, options: [.memoryMapCalls])
        }
      }
      let reason = "where everything traps by default, memory cannot be marked as making no system calls"
      #expect(throws: SessionError.unsatisfiable(reason)) { try Session(default: .trap, options: [.memoryMapCalls]) }
    }
  }

  /// A program that sets its handler when the session is active already.
  @Test(arguments: memories.map(\.rawValue))
  func `with the handler guarded`(_ memory: UInt32) async {
    await #expect(processExitsWith: .success) { [memory = memory as UInt32] in
      begin()
      let memory = try #require(GuestMemory(rawValue: memory))
      let session = try told { () throws(SessionError) in try Session(options: [.memoryMapCalls, .guardsSIGSYS]) }
      try told { () throws(SessionError) in try session.activate(for: .allThreads) }
      check(guest_map_handle(), 0, "the handler")
      check(guest_map_before_marks_count(memory), 0, "line")
      check(guest_map_parts(memory), 0, "line")
      check(TestThread { Int(guest_map_round(memory)) }.join(), 0, "line")
    }
  }

  /// On a stock kernel, and in a session without the option, the marks are nothing.
  @Test func `without the option`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      try guest.activate(for: .allThreads)
      check(nativeCall(Number.seccomp, 4, 0, 0), -Int(EINVAL), "the mode")
      check(nativeCall(Number.prctl, 22, 3), -Int(EINVAL), "the mode by prctl")
    }
  }
}

private func openSession() throws -> Session {
  begin()
  check(guest_map_handle(), 0, "the handler")
  let session = try told { () throws(SessionError) in try Session(options: [.memoryMapCalls]) }
  try told { () throws(SessionError) in try session.activate(for: .allThreads) }
  return session
}

private func start(_ memory: UInt32) throws -> GuestMemory {
  _ = try openSession()
  return try #require(GuestMemory(rawValue: memory))
}
