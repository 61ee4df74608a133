import FilterCompiler
import Glibc
import Synchronization
import Testing

@testable import Cordon

@Suite struct ArenaTests {
  @Test func `the block is one upper half of the address space, clear of where programs are loaded`() throws {
    let arena = try #require(Arena())
    defer { arena.unmap() }
    #expect((arena.range.start + 4096) % (1 << 32) == 0)
    #expect(arena.range.length == (1 << 32) + 4096)
    #expect(arena.range.start >= 0x1000_8000_0000 && arena.range.end <= 0x1555_5555_5000)
  }

  @Test func `code follows code without gaps, executable and not writable; what is unmapped is taken again`() throws {
    let session = try Session()
    let first = try session.mapExecutable([0xc3, 0xc3]).range
    let second = try session.mapExecutable([UInt8](repeating: 0x90, count: 4097))
    let arena = try #require(session.state.unguarded.arena)
    #expect(first.start == arena.range.start + 4096)
    #expect(second.range.start == first.end)
    #expect(second.range.length == 8192)
    let line = try #require(mapping(of: first.start))
    #expect(line.contains(" r-xp "))
    let code = try #require(UnsafePointer<UInt8>(bitPattern: UInt(second.range.start)))
    #expect(code[4096] == 0x90 && code[4097] == 0xcc)

    let third = try session.mapExecutable([0xc3, 0xc3])
    try session.unmap(second)
    #expect(throws: SessionError.noSuchRegion(second.range)) { try session.unmap(second) }
    #expect(try #require(mapping(of: second.range.start)).contains(" ---p "))
    #expect(try session.mapExecutable([0xc3, 0xc3]).range.start == second.range.start)
    #expect(try session.mapExecutable([UInt8](repeating: 0xc3, count: 4097)).range.start == third.range.end)
    let foreign = try AddressRange(start: 0x4000_0000_0000, end: 0x4000_0000_1000)
    #expect(throws: SessionError.notMapped(foreign)) { try session.unmap(session.trap(foreign)) }
  }

  @Test func `free pages are taken from below, and joined when they come back`() {
    var free = FreePages(0x1000..<0x9000)
    let taken = [free.take(0x2000), free.take(0x1000), free.take(0x5001)]
    #expect(taken == [0x1000, 0x3000, nil])
    let (one, other) = (free.take(0x6000..<0x7000), free.take(0x5000..<0x6001))
    #expect(one && !other)
    #expect(free.ranges == [0x4000..<0x6000, 0x7000..<0x9000])
    free.give(0x1000..<0x2000)
    free.give(0x3000..<0x4000)
    #expect(free.ranges == [0x1000..<0x2000, 0x3000..<0x6000, 0x7000..<0x9000])
    free.give(0x6000..<0x7000)
    free.give(0x2000..<0x3000)
    #expect(free.ranges == [0x1000..<0x9000])
  }

  @Test func `one comparison of the upper half decides for all of an arena`() throws {
    let session = try Session()
    for _ in 0..<3 { _ = try session.mapExecutable([0x0f, 0x05, 0xc3]) }
    let state = session.state.unguarded
    let planner = Planner(gate: try Session.gate())
    let view = GivenAddressSpace()
    let wanted = state.everythingTrapped
    let proposals = try planner.propose(wanted, wanted: { wanted }, view: view)
    #expect(proposals.count == 1)
    #expect(proposals[0].program.instructions.count == 4)
  }

  @Test func `where the address space is limited the code goes where the kernel puts it`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      var limit = rlimit(rlim_cur: 2 << 30, rlim_max: 2 << 30)
      setrlimit(__rlimit_resource_t(9), &limit)  // RLIMIT_AS
      guard Arena() == nil else { exit(2) }
      let session = try Session()
      let region = try session.mapExecutable([0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3])
      try session.setHook(TrapHook { _ in .value(7) })
      try session.activate()
      typealias Function = @convention(c) () -> Int
      exit(unsafeBitCast(UInt(region.range.start), to: Function.self)() == 7 ? 0 : 1)
    }
  }
}

/// The line of this process's memory map that begins with an address.
private func mapping(of address: UInt64) -> String? {
  guard let file = fopen("/proc/self/maps", "r") else { return nil }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 4096)
  while fgets(&line, Int32(line.count), file) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let bounds = text.prefix { $0 != " " }.split(separator: "-").compactMap { UInt64($0, radix: 16) }
    if bounds.count == 2, bounds[0] <= address, address < bounds[1] { return text }
  }
  return nil
}
