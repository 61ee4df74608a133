import Cordon
import Glibc
import GuestCode
import SystemPackage
import Testing
import TrapEngine

/// What is wrong with a change is said by a typed error, and nothing has happened then: not to the regions, the filters, the
/// handler's table or the memory.
@Suite struct ChangeErrors {
  @Test(arguments: mechanisms)
  func `ranges that cannot be regions`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      let subject = try Subject(mechanism)
      let (session, own) = (subject.guest.session, subject.guest.region(.call))
      let trap = FilterCompiler.Disposition.trap(data: 0xc04d)
      let end: UInt64 = 1 << 47
      let above = try AddressRange(start: end - 2, end: end + 2)
      let short = try AddressRange(start: 0x10_0000, end: 0x10_0001)
      let inside = try AddressRange(start: own.range.start + 8, end: own.range.start + 16)
      let gate = subject.gate
      let wanted: [(SessionError, AddressRange, Region.Disposition)] = [
        (.region(.aboveUserSpace(above, .x86_64)), above, .trap), (.region(.tooShort(short, .x86_64)), short, .trap),
        (.region(.contradiction(inside, .allow, with: own.range, trap)), inside, .allow),
        (.region(.contradiction(inside, .errno(1), with: own.range, trap)), inside, .error(.notPermitted)),
        (.region(.contradiction(inside, .killProcess, with: own.range, trap)), inside, .kill),
        (.region(.contradiction(gate, trap, with: gate, .allow)), gate, .trap),
        (.region(.contradiction(gate, .errno(1), with: gate, .allow)), gate, .error(.notPermitted)),
      ]
      for (error, range, disposition) in wanted {
        subject.expect(error) { () throws(SessionError) in try session.declare(range, disposition) }
        subject.expect(error) { () throws(SessionError) in
          try session.change { change in
            // Parts before it that could be made, and after it.
            change.trap(subject.fresh)
            change.remove(own)
            change.trap(own.range)
            change.declare(range, disposition)
            change.trap(subject.fresh)
          }
        }
        subject.expect(error) { () throws(SessionError) in try session.plan { $0.declare(range, disposition) } }
      }
      let second = try session.trap(subject.fresh)
      try subject.note()
      subject.expect(.region(.contradiction(second.range, .allow, with: second.range, trap))) {
        () throws(SessionError) in
        try session.change { change in
          change.trap(subject.fresh)
          change.set(.allow, of: second)
        }
      }
    }
  }

  @Test(arguments: mechanisms)
  func `regions that are not there`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      let subject = try Subject(mechanism)
      let session = subject.guest.session
      let gone = try session.trap(subject.fresh)
      try session.remove(gone)
      // Its index is another one's by now.
      let other = try session.trap(AddressRange(start: subject.fresh.end, end: subject.fresh.end + 0x1000))
      check(other.index, gone.index, "the index")
      let foreign = try Session(mechanism: .seccomp).trap(subject.fresh)
      try subject.note()
      for region in [gone, foreign] {
        let error = SessionError.noSuchRegion(region.range)
        subject.expect(error) { () throws(SessionError) in try session.remove(region) }
        subject.expect(error) { () throws(SessionError) in try session.set(.allow, of: region) }
        subject.expect(error) { () throws(SessionError) in try session.unmap(region) }
        subject.expect(error) { () throws(SessionError) in try session.plan { $0.remove(region) } }
      }
      subject.expect(.noSuchRegion(other.range)) { () throws(SessionError) in
        try session.change { change in
          change.remove(other)
          change.remove(other)
        }
      }
    }
  }

  @Test(arguments: mechanisms)
  func `memory that is not mapped, or not the session's`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      let subject = try Subject(mechanism)
      let (session, own) = (subject.guest.session, subject.guest.region(.call))
      let nowhere = try AddressRange(start: 0x5_0000_0000, end: 0x5_0000_2000)
      let odd = try AddressRange(start: 0x5_0000_0010, end: 0x5_0000_1000)
      let beside = try AddressRange(start: own.range.end + 0x10_0000, end: own.range.end + 0x10_1000)
      let plain = try session.trap(subject.fresh)
      try subject.note()
      subject.expect(.notMapped(plain.range)) { () throws(SessionError) in try session.unmap(plain) }
      subject.expect(.notMapped(own.range)) { () throws(SessionError) in try session.unmap(own.range) }
      subject.expect(.notMapped(own.range)) { () throws(SessionError) in try session.remap(own.range, to: 0x4000) }
      subject.expect(.notMapped(beside)) { () throws(SessionError) in try session.unmap(beside) }
      subject.expect(.notMapped(beside)) { () throws(SessionError) in try session.protect(beside, [.read, .noSyscall]) }
      subject.expect(.memory(.noMemory)) { () throws(SessionError) in try session.protect(nowhere, [.read, .noSyscall])
      }
      subject.expect(.memory(.noMemory)) { () throws(SessionError) in try session.protect(nowhere, [.read]) }
      subject.expect(.memory(.invalidArgument)) { () throws(SessionError) in
        try session.protect(odd, [.read, .noSyscall])
      }
      subject.expect(.memory(.invalidArgument)) { () throws(SessionError) in try session.unmap(odd) }
      subject.expect(.memory(.invalidArgument)) { () throws(SessionError) in try session.map(0, [.read, .noSyscall]) }
      subject.expect(.memory(.badAddress)) { () throws(SessionError) in try session.remap(nowhere, to: 0x4000) }
    }
  }

  /// A plan that no mechanism of the session's can carry out.
  @Test func `plans that cannot be carried out`() async {
    await #expect(processExitsWith: .success) {
      let subject = try Subject("sud-inclusive")
      let session = subject.guest.session
      // Dispatch has one range, and Cordon's own pages would lie in it.
      let far = try AddressRange(start: subject.gate.end + 0x1000, end: subject.gate.end + 0x2000)
      let error = SessionError.inexpressible(
        .sudInclusive, reason: "it has one range, and the trapped code lies on both sides of Cordon's own")
      subject.expect(error) { () throws(SessionError) in try session.trap(far) }
      subject.expect(error) { () throws(SessionError) in try session.plan { $0.trap(far) } }
      subject.expect(error) { () throws(SessionError) in
        try session.change { change in
          change.remove(subject.guest.region(.call))
          change.trap(subject.guest.region(.call).range)
          change.trap(far)
        }
      }
    }
  }

  /// The table gets its memory by mprotect(2), in portions of 64 KiB, which a filter refuses here.
  @Test(arguments: mechanisms)
  func `no memory for the table`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      let subject = try Subject(mechanism)
      let session = subject.guest.session
      check(nativeCall(Number.prctl, 38, 1), 0, "no_new_privs")
      check(GuestFilter(refusing: 10, with: ENOMEM, second: 65_536).load(), 0, "the filter")
      try subject.note()
      func declare(_ count: UInt64) throws(SessionError) {
        try session.change { change in
          for index in 0..<count {
            let start = subject.fresh.start + index * 64
            if let range = try? AddressRange(start: start, end: start + 8) { change.trap(range) }
          }
        }
      }
      subject.expect(.memory(.noMemory)) { () throws(SessionError) in try declare(6_000) }
      try declare(10)
      check(session.regions.count, 11, "regions")
    }
  }

  /// The table is full when memory is unmarked of which a part stays marked, which takes more of the table than before: the
  /// memory is not touched.
  @Test(arguments: mechanisms)
  func `no memory for the table while marked memory is unmapped`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      let subject = try Subject(mechanism)
      let session = subject.guest.session
      let marked = try session.map(0x3000, [.read, .write, .noSyscall])
      let middle = try AddressRange(start: marked.start + 0x1000, end: marked.start + 0x2000)
      let end = try AddressRange(start: marked.start + 0x1000, end: marked.end)
      fillTable(of: session, at: subject.fresh.start + 0x100_0000)
      try subject.note()
      let error = SessionError.memory(.noMemory)
      subject.expect(error) { () throws(SessionError) in try session.unmap(middle) }
      subject.expect(error) { () throws(SessionError) in try session.protect(middle, [.read]) }
      subject.expect(error) { () throws(SessionError) in try session.remap(middle, to: 0x4000) }
      subject.expect(error) { () throws(SessionError) in try session.remap(end, to: 0x1000) }
    }
  }

  /// A mark that would need a filter, by a raw call.
  @Test func `no filter for memory that the program marks`() async {
    await #expect(processExitsWith: .success) {
      let session = try openMarkingSession()
      nativeCall(Number.prctl, 38, 1)  // PR_SET_NO_NEW_PRIVS
      check(GuestFilter(refusing: Number.seccomp, with: ENOMEM).load(), 0, "the filter")
      let (mprotect, protection, flags) = (
        10, Int(PROT_READ | PROT_WRITE | PROT_EXEC), Int(MAP_PRIVATE | MAP_ANONYMOUS)
      )
      let at = nativeCall(Number.mmap, 0, 0x1000, protection, flags, -1, 0)
      guest_write(UInt64(at), GuestTemplate.getpid.code, 8)
      let filters = session.statistics.filters
      check(nativeCall(mprotect, at, 0x1000, Int(PROT_READ) | 0x40), -Int(ENOMEM), "mprotect")
      check(nativeCall(Number.mmap, at, 0x1000, protection | 0x40, flags | Int(MAP_FIXED), -1, 0), -Int(ENOMEM), "mmap")
      check(call(UInt64(at)), Int(getpid()), "the memory's call: it is there, can be run, and is not marked")
      check([session.regions.count, session.statistics.filters], [0, filters], "regions and filters")
      let placed = nativeCall(Number.mmap, 0, 0x1000, protection | 0x40, flags, -1, 0)
      guest_write(UInt64(placed), GuestTemplate.getpid.code, 8)
      check(call(UInt64(placed)), 4711, "a call from where a mark needs no filter")
    }
  }

  /// Marked memory that native code makes longer where it is; the part that is added would need a filter.
  @Test func `no filter for what marked memory becomes longer by`() async {
    await #expect(processExitsWith: .success) {
      let session = try openMarkingSession()
      let (mprotect, mremap, size) = (10, 25, 0x1000)
      let (protection, flags) = (Int(PROT_READ | PROT_WRITE | PROT_EXEC), Int(MAP_PRIVATE | MAP_ANONYMOUS))
      let at = nativeCall(Number.mmap, 0, 2 * size, protection, flags, -1, 0)
      guest_write(UInt64(at), GuestTemplate.getpid.code, 8)
      check(nativeCall(Number.munmap, at + size, size), 0, "room behind it")
      check(nativeCall(mprotect, at, size, protection | 0x40), 0, "mprotect")
      nativeCall(Number.prctl, 38, 1)  // PR_SET_NO_NEW_PRIVS
      check(GuestFilter(refusing: Number.seccomp, with: ENOMEM).load(), 0, "the filter")
      let (regions, filters) = (session.regions, session.statistics.filters)
      check(nativeCall(mremap, at, size, 2 * size, 0), -Int(ENOMEM), "mremap")
      check(session.regions, regions, "the regions")
      check(session.statistics.filters, filters, "filters")
      check(call(UInt64(at)), 4711, "a marked call")
      let unreplacing = flags | 0x10_0000  // MAP_FIXED_NOREPLACE
      check(nativeCall(Number.mmap, at + size, size, protection, unreplacing, -1, 0), at + size, "what is behind it")
      guest_write(UInt64(at + size), GuestTemplate.getpid.code, 8)
      check(call(UInt64(at + size)), Int(getpid()), "a call from there, which is not marked")
    }
  }

  /// The table is full when the program itself unmaps, unmarks, moves or replaces a part of what it has marked.
  @Test func `no memory for the table while marked memory is unmapped by the program`() async {
    await #expect(processExitsWith: .success) {
      let session = try openMarkingSession()
      let (size, protection) = (0x3000, Int(PROT_READ | PROT_WRITE | PROT_EXEC))
      let at = nativeCall(Number.mmap, 0, size, protection | 0x40, Int(MAP_PRIVATE | MAP_ANONYMOUS), -1, 0)
      let middle = at + 0x1000
      for page in 0..<3 { guest_write(UInt64(at + page * 0x1000), GuestTemplate.getpid.code, 8) }
      let segment = nativeCall(29, 0, 0x1000, 0o700)  // shmget

      fillTable(of: session, at: UInt64(at) + 0x100_0000)
      let (mprotect, mremap, shmat) = (10, 25, 30)
      let flags = Int(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
      let calls = [
        [Number.munmap, middle, 0x1000], [mprotect, middle, 0x1000, protection], [mremap, middle, 0x1000, 0x4000, 1],
        [mremap, middle, 0x2000, 0x1000, 0], [Number.mmap, middle, 0x1000, protection, flags, -1, 0],
        [shmat, segment, middle, 0x4000],
      ]
      let regions = session.regions
      for words in calls {
        let all = words + [Int](repeating: 0, count: 7 - words.count)
        let result = nativeCall(all[0], all[1], all[2], all[3], all[4], all[5], all[6])
        check(result, -Int(ENOMEM), "\(words)")
        check(session.regions, regions, "the regions after \(words)")
        for page in 0..<3 { check(call(UInt64(at + page * 0x1000)), 4711, "page \(page) after \(words)") }
      }
      check(nativeCall(31, segment, 0, 0), 0, "shmctl")
    }
  }
}

/// An active session in which a program's own marks count.
private func openMarkingSession() throws -> Session {
  begin()
  let session = try Session(options: [.memoryMapCalls])
  let log = HookLog()
  log.answer(Number.getpid, .value, 4711)
  try session.setHook(log.hook())
  try told { () throws(SessionError) in try session.activate(for: .allThreads) }
  check(nativeCall(Number.seccomp, 4, 0, 0), 0, "the mode")
  return session
}

/// Declares regions until the table is full: a filter refuses it more memory.
private func fillTable(of session: Session, at start: UInt64) {
  nativeCall(Number.prctl, 38, 1)  // PR_SET_NO_NEW_PRIVS
  check(GuestFilter(refusing: 10, with: ENOMEM, second: 65_536).load(), 0, "the filter")
  var place = start
  while let range = try? AddressRange(start: place, end: place + 8), (try? session.trap(range)) != nil { place += 64 }
  #expect(place > start + 1000 * 64)
}

/// An active session whose state can be compared.
private struct Subject {
  let guest: Guest
  let gate: AddressRange
  /// Where nothing is, in the session's own block.
  let fresh: AddressRange
  private let before: Box

  private final class Box {
    var state: State
    init(_ state: State) { self.state = state }
  }

  /// All that a change could have changed.
  private struct State: Equatable {
    let regions: [Region]
    let changes: UInt64
    let filters, staleRanges: Int
    let price: Double
    let generation: UInt64
    let process: ProcessState
    let mappings: [String]

    init(_ session: Session) {
      regions = session.regions
      let statistics = session.statistics
      (changes, filters, staleRanges) = (statistics.changes, statistics.filters, statistics.staleRanges)
      price = statistics.nanosecondsPerCall
      generation = cordon_table_generation()
      process = ProcessState()
      // The block's, and what is near the addresses that the tests name.
      mappings = linesOfFile("/proc/self/maps").filter { $0.hasPrefix("1") || $0.hasPrefix("5000") }
    }
  }

  init(_ mechanism: String) throws {
    begin()
    guest = try Guest(mechanism)
    guest.log.answer(Number.getpid, .value, 4711)
    try guest.activate(for: .allThreads)
    var (start, end): (UInt64, UInt64) = (0, 0)
    cordon_engine_gate(&start, &end)
    gate = try AddressRange(start: start, end: end)
    let after = guest.region(.call).range.end + 0x1000
    fresh = try AddressRange(start: after, end: after + 0x1000)
    before = Box(State(guest.session))
  }

  /// Takes what there is now for what is to stay.
  func note() throws {
    before.state = State(guest.session)
  }

  /// Expects an error, and a session that is as it was.
  func expect<Result>(
    _ error: SessionError, at location: SourceLocation = #_sourceLocation,
    _ body: () throws(SessionError) -> Result
  ) {
    do throws(SessionError) {
      _ = try body()
      Issue.record("no error, instead of \(error)", sourceLocation: location)
    } catch let found {
      check(found, error, "the error", at: location)
      #expect(!found.description.isEmpty && !found.description.contains("SessionError"), sourceLocation: location)
    }
    check(State(guest.session), before.state, "the session", at: location)
    check(guest.call(Number.getpid), 4711, "a trapped call", at: location)
    before.state = State(guest.session)
  }
}
