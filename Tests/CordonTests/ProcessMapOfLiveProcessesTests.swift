import Cordon
import FilterCompiler
import Glibc
import Testing

@Suite struct ProcessMapOfLiveProcessesTests {
  private func address(of function: String) throws -> UInt64 {
    UInt64(UInt(bitPattern: try #require(dlsym(nil, function))))
  }

  @Test func libcsCodeIsWhereItsFunctionsAre() throws {
    let map = try ProcessMap()
    let place = try address(of: "getppid")
    #expect(try map.code(of: "libc.so*").contains { $0.contains(place) })
    #expect(try !map.code(of: "exe").contains { $0.contains(place) })
    #expect(try !map.code(of: "vdso").isEmpty)
    #expect(map.mappings == map.mappings.sorted { $0.range.start < $1.range.start })
  }

  @Test func theMainProgramIsFoundByItsLink() throws {
    let map = try ProcessMap()
    let path = try #require(map.executable)
    #expect(try map.code(of: "exe") == (try map.code(of: path)))
  }

  @Test func freshCodeIsAnonymous() throws {
    let size = 4096
    let page = try #require(mmap(nil, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(page, size) }
    let place = UInt64(UInt(bitPattern: page))
    #expect(try ProcessMap().code(of: "anonymous").contains { $0.contains(place) })
  }

  /// Neither a process that has ended nor one that has been waited for has code.
  @Test func aProcessThatEndedHasNoMap() throws {
    var child = pid_t()
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
    defer { free(arguments[0]) }
    try #require(posix_spawnp(&child, "true", nil, nil, &arguments, environ) == 0)
    var information = siginfo_t()
    try #require(waitid(P_PID, id_t(child), &information, WEXITED | WNOWAIT) == 0)
    #expect(throws: ProcessMapError.noAddressSpace(child)) { try ProcessMap(of: child) }
    try #require(waitpid(child, nil, 0) == child)
    #expect(throws: ProcessMapError.noSuchProcess(child)) { try ProcessMap(of: child) }
  }
}
