import Cordon
import Glibc
import GuestCode
import Synchronization
import SystemPackage
import TestSupport
import Testing
import TrapEngine

/// Changes that race with calls, threads, fork and exec.
@Suite struct LiveStorms {
  /// Each answer is one that held while the call was made: the map's generation before and after it says which.
  @Test(arguments: mechanisms, [false, true])
  func `8 threads call without pause while the region changes`(_ mechanism: String, outside: Bool) async {
    await #expect(processExitsWith: .success) {
      [mechanism = mechanism as String, outside = outside as Bool, seconds = ThreadStorm.seconds as Int] in
      begin(seconds: 900 + UInt32(seconds))
      let guest = try Guest(mechanism, .getpid)
      guest.log.answer(Number.getpid, .value, 4711)
      var region = guest.region(.getpid)
      if outside {
        let ground = try #require(Ground(at: 0x4000_0000_0000, size: 0x1000))
        guest_write(ground.start, GuestTemplate.getpid.code, GuestTemplate.getpid.code.count)
        region = try guest.session.trap(AddressRange(start: ground.start, end: ground.start + 0x1000))
      }
      let range = region.range
      try guest.activate(for: .allThreads)
      let traps = guest.session.statistics.traps
      let base = cordon_table_generation()
      let pid = Int(getpid())
      @Sendable func answer(_ generation: UInt64) -> Int { [4711, -Int(EPERM), pid][Int((generation - base) % 3)] }
      let stop = Signpost()
      let threads = (0..<8).map { _ in
        TestThread {
          var (calls, wrong) = (0, 0)
          repeat {
            let before = cordon_table_generation()
            let result = call(range.start)
            let after = cordon_table_generation()
            if !(before...min(after, before + 2)).contains(where: { answer($0) == result }) { wrong += 1 }
            calls += 1
          } while !stop.isOpen
          return wrong > 0 ? -wrong : calls
        }
      }
      let end = time(nil) + seconds
      var rounds = 0
      while time(nil) < end || rounds <= 100 {
        try guest.session.set(.error(.notPermitted), of: region)
        try guest.session.remove(region)
        region = try guest.session.trap(range)
        rounds += 1
      }
      stop.open()
      let calls = threads.map { $0.join() }
      #expect(calls.allSatisfy { $0 > 0 }, "answers that never held: \(calls)")
      #expect(rounds > 100, "\(rounds) rounds")
      check(guest.session.statistics.changes, UInt64(rounds * 3), "changes")
      // Where nothing else traps, each call has trapped once.
      if ["seccomp", "sud-inclusive"].contains(mechanism) {
        check(Int(guest.session.statistics.traps - traps), calls.reduce(0, +), "traps")
      }
    }
  }

  /// Several threads change at once, each its own regions, and find them as they left them.
  @Test(arguments: mechanisms)
  func `changes by 8 threads at once`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let pid = Int(getpid())
      let threads = (0..<8).map { index in
        TestThread {
          for round in 0..<100 {
            guard let region = try? guest.session.mapExecutable(GuestTemplate.getpid.code),
              call(region.range.start) == 4711, (try? guest.session.set(.error(.resourceBusy), of: region)) != nil,
              call(region.range.start) == -Int(EBUSY), (try? guest.session.set(.allow, of: region)) != nil,
              call(region.range.start) == pid, (try? guest.session.unmap(region)) != nil
            else { return round + 1 }
          }
          return 0
        }
      }
      check(threads.map { $0.join() }, [Int](repeating: 0, count: 8), "the round that went wrong")
      check(guest.session.statistics.changes, 8 * 100 * 4, "changes")
      check(guest.session.regions.count, 1, "regions")
    }
  }

  /// Threads are made all the time; whoever is made before, during or after a change that attaches something traps.
  @Test(arguments: mechanisms)
  func `changes that attach something race with new threads`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let stop = Signpost()
      let latest = Atomic<UInt64>(guest.address(.call))
      let makers = (0..<3).map { _ in
        TestThread {
          var wrong = 0
          while !stop.isOpen {
            let address = latest.load(ordering: .acquiring)
            guard address != guest.address(.call) else { continue }
            wrong += TestThread { guest_enter(address, Number.getpid, 0, 0, 0, 0) == 4711 ? 0 : 1 }.join()
          }
          return wrong
        }
      }
      // Above all that was there before, so that a range that is dispatched grows each time.
      let pages = try HighPages(12)
      for page in 0..<pages.count {
        try pages.trap(page, in: guest.session)
        latest.store(pages.start(page), ordering: .releasing)
        usleep(20_000)
      }
      stop.open()
      check(makers.map { $0.join() }, [0, 0, 0], "calls by threads that did not trap")
    }
  }

  /// A child has the session as it was at its fork, whole, and can change it.
  @Test(arguments: mechanisms)
  func `changes race with fork`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .getpid)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let stop = Signpost()
      let pages = try HighPages(12)
      let changer = changes(of: guest, attachingForEvery: 16, in: pages, until: stop)
      let function = guest.function(.getpid, as: (@convention(c) () -> Int).self)
      for round in 0..<100 { check(guest_fork_and_call(function, 4711), 0, "the children of round \(round)") }
      stop.open()
      #expect(changer.join() > 0)
    }
  }

  /// A library that is a region while it is loaded. It gets the same addresses again, or new ones.
  @Test(arguments: mechanisms)
  func `a library is loaded, trapped, freed and unloaded 1,000 times`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let before = ProcessState().filters
      for round in 1...1000 {
        let library = dlopen("libBrokenLocale.so.1", RTLD_NOW)
        #expect(library != nil)
        guard let regions = try trapLibrary(in: guest.session) else { return }
        check(regions.count, 1, "regions of the library, round \(round)")
        if round.isMultiple(of: 100), let code = regions.first?.range {
          // A call of the library's own, in what is left of its last page.
          mprotect(UnsafeMutableRawPointer(bitPattern: UInt(code.start)), Int(code.length), 7)
          guest_write(code.end - 8, [0x0f, 0x05, 0xc3], 3)
          check(guest_enter(code.end - 8, Number.getpid, 0, 0, 0, 0), 4711, "the library's call, round \(round)")
          let unasked = guest.session.statistics.unasked
          _ = getppid()
          let passed = guest.session.statistics.unasked - unasked
          if mechanism == "seccomp" { check(passed, 0, "libc is not trapped") }
        }
        for region in regions { try guest.session.remove(region) }
        if let library { dlclose(library) }
      }
      #expect(ProcessState().filters <= before + 3, "\(ProcessState().filters) filters")
      check(guest.session.statistics.changes, 2000, "changes")
    }
  }

  /// A JIT's page is writable and executable in turn, and a region all the time.
  @Test(arguments: mechanisms)
  func `a page that is written and run in turn`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      let region = try guest.session.mapExecutable([UInt8](repeating: 0xcc, count: 4096))
      let page = try #require(UnsafeMutableRawPointer(bitPattern: UInt(region.range.start)))
      for round in 1...300 {
        // mov eax, number; syscall; ret, for another number each time.
        let number = [Number.getpid, Number.gettid, Number.getuid][round % 3]
        let code: [UInt8] = [0xb8, UInt8(number & 255), UInt8(number >> 8), 0, 0, 0x0f, 0x05, 0xc3]
        check(mprotect(page, 4096, PROT_READ | PROT_WRITE), 0, "mprotect")
        page.copyMemory(from: code, byteCount: code.count)
        check(mprotect(page, 4096, PROT_READ | PROT_EXEC), 0, "mprotect")
        let before = guest.log.calls(number)
        check(call(region.range.start), nativeCall(number), "the call")
        check(guest.log.calls(number), before + 1, "what the hook saw")
      }
    }
  }

  @Test(arguments: mechanisms)
  func `10,000 regions`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      guest.log.answer(Number.getpid, .value, 4711)
      let begin: UInt64 = 0x4000_0000_0000
      let early = try guest.session.change { change in
        for index in 0..<UInt64(5_000) {
          if let range = try? AddressRange(start: begin + index * 128, end: begin + index * 128 + 8) {
            change.trap(range)
          }
        }
      }
      try guest.activate(for: .allThreads)
      let late = try (0..<UInt64(5_000)).map { index in
        try guest.session.trap(
          AddressRange(start: begin + index * 128 + 64, end: begin + index * 128 + 72))
      }
      let ground = try #require(Ground(at: begin, size: 10_000 * 64))
      check(guest.session.regions.count, 10_001, "regions")
      for (number, region) in (early + late).enumerated() where number % 97 == 0 {
        let start = region.range.start
        for (offset, wanted) in [(0, 4711), (6, 4711), (7, Int(getpid())), (8, Int(getpid()))] as [(UInt64, Int)] {
          ground.place(at: start + offset)
          check(guest_enter(start + offset, Number.getpid, 0, 0, 0, 0), wanted, "at \(hex(start)) + \(offset)")
          ground.clear(at: start + offset)
        }
        check(Int(guest.log.raw.pointee.trap.region), region.index, "the region")
      }
      for region in early.shuffled() + late { try guest.session.remove(region) }
      check(guest.session.regions.count, 1, "regions")
      // And all of them in one change of an active session.
      let again = try guest.session.change { change in for region in early + late { change.trap(region.range) } }
      ground.place(at: ground.start)
      check(guest_enter(ground.start, Number.getpid, 0, 0, 0, 0), 4711, "the first one's call, as a region again")
      try guest.session.change { change in for region in again { change.remove(region) } }
      check(guest.session.regions.count, 1, "regions")
      check(guest_enter(ground.start, Number.getpid, 0, 0, 0, 0), Int(getpid()), "the first one's call, removed")
      #expect(guest.session.statistics.filters <= 2, "\(guest.session.statistics.filters) filters")
    }
  }
}

/// Makes the library's code a region; nil where dispatch of one range cannot: Cordon's own pages lie between that and the
/// session's block.
private func trapLibrary(in session: Session) throws -> [Region]? {
  let before = session.regions
  do throws(SessionError) {
    return try session.trap(module: "libBrokenLocale*")
  } catch .inexpressible(.sudInclusive, _) {
    check(session.regions, before, "the regions")
    return nil
  }
}
