import FilterCompiler
import Glibc
import Synchronization
import Testing

@testable import Cordon

@Suite struct ArenaTests {
  @Test func `the block is one upper half of the address space, clear of where programs are loaded`() throws {
    let arena = try #require(Arena())
    defer { Arena.unmap(arena.range) }
    #expect((arena.range.start + 4096) % (1 << 32) == 0)
    #expect(arena.range.length == (1 << 32) + 4096)
    #expect(arena.range.start >= 0x1000_8000_0000 && arena.range.end <= 0x1555_5555_5000)
  }

  @Test func `code follows code without gaps, executable and not writable`() throws {
    var arena = try #require(Arena())
    defer { Arena.unmap(arena.range) }
    let first = try arena.map([0xc3])
    let second = try arena.map([UInt8](repeating: 0x90, count: 4097))
    #expect(first.start == arena.range.start + 4096)
    #expect(second.start == first.end)
    #expect(second.length == 8192)
    let map = try String(contentsOfMap: ())
    let line = try #require(map.split(separator: "\n").first { $0.hasPrefix(String(first.start, radix: 16)) })
    #expect(line.contains(" r-xp "))
    let code = try #require(UnsafePointer<UInt8>(bitPattern: UInt(second.start)))
    #expect(code[4096] == 0x90 && code[4097] == 0xcc)
  }

  @Test func `one comparison of the upper half decides for all of an arena`() throws {
    let session = try Session()
    for _ in 0..<3 { _ = try session.mapExecutable([0x0f, 0x05, 0xc3]) }
    let map = try session.state.withLock { try $0.finalMap(gate: Session.gate()) }
    #expect(try map.compile().instructions.count == 4)
  }

  @Test func `where the address space is limited the code goes where the kernel puts it`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(20)
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

extension String {
  /// This process's memory map.
  fileprivate init(contentsOfMap: Void) throws {
    let file = try #require(fopen("/proc/self/maps", "r"))
    defer { fclose(file) }
    var text = ""
    var line = [CChar](repeating: 0, count: 4096)
    while fgets(&line, Int32(line.count), file) != nil {
      text += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    self = text
  }
}
