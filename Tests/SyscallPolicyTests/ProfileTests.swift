import FilterCompiler
import SyscallPolicy
import Testing

/// What a profile file can say, and that it means what it says.
@Suite struct ProfileTests {
  private func profile(_ yaml: String, _ architecture: Architecture? = nil) throws -> Profile {
    try Profile(yaml: yaml, file: "p.yaml", architecture: architecture)
  }

  @Test func everythingThatAProfileCanSay() throws {
    let profile = try profile(
      """
      schema: cordon.profile/1
      architecture: x86_64
      default: trap 7
      regions:
        - code: 0x1000-0x2000
          disposition: allow
        - code: [0x5000-0x6000, libfoo.so, "*.so"]
          disposition: errno EPERM
        - {code: anonymous, disposition: kill-thread, writable: true, optional: true}
      dont-care:
        - 0x2000-0x5000
        - 0x100000-0x200000
      checked-architectures: [x86_64, i386]
      other-architectures: errno 38
      allowed-calls: [futex, 39]
      gate: 0x10000-0x11000
      trapped-calls: rt_sigaction
      trapped-calls-data: 0x10
      """)
    var asked: [CodeName] = []
    let map = try profile.regionMap { name throws(CodeNameError) in
      asked.append(name)
      switch name.name {
      case "libfoo.so": return [range(0x8000, 0x9000), range(0xa000, 0xb000)]
      case "*.so": return [range(0x8000, 0x9000)]
      default: throw CodeNameError(problem: "none", remedy: nil, isAbsence: true)
      }
    }
    #expect(asked == [CodeName("libfoo.so"), CodeName("*.so"), CodeName("anonymous", writable: true)])
    var expected = RegionMap(architecture: .x86_64, default: .trap(data: 7))
    try expected.insert(range(0x1000, 0x2000), .allow)
    for start: UInt64 in [0x5000, 0x8000, 0xa000] { try expected.insert(range(start, start + 0x1000), .errno(1)) }
    try expected.insertDontCare(range(0x2000, 0x5000))
    try expected.insertDontCare(range(0x10_0000, 0x20_0000))
    #expect(map == expected)
    #expect(
      profile.options
        == CompileOptions(
          checkedArchitectures: [.x86_64, .i386], otherArchitecture: .errno(38), allowedNumbers: [202, 39],
          gate: range(0x10000, 0x11000), globalTrapNumbers: [13], trapData: 16))
  }

  @Test(arguments: [
    ("allow", Disposition.allow), ("trap", .trap), ("trap 65535", .trap(data: 65535)), ("errno EPERM", .errno(1)),
    ("errno  0x1", .errno(1)), ("errno 0", .errno(0)), ("errno 4095", .errno(4095)), ("errno ENOSYS", .errno(38)),
    ("errno EWOULDBLOCK", .errno(11)), ("kill", .killProcess), ("kill-thread", .killThread), ("log", .log),
    ("notify", .notify), ("trace 3", .trace(3)),
  ])
  func dispositions(text: String, expected: Disposition) throws {
    #expect(try profile("default: \(text)").defaultDisposition == expected)
  }

  @Test func theArchitectureIsTheProfilesOrTheOneAskedForOrTheHost() throws {
    #expect(try profile("default: allow").architecture == .host)
    #expect(try profile("default: allow", .riscv64).architecture == .riscv64)
    #expect(try profile("architecture: aarch64\ndefault: allow", .aarch64).architecture == .aarch64)
    // Names of calls mean those of the machine that the profile is for.
    let yaml = "architecture: aarch64\ndefault: trap\nallowed-calls: [getppid]"
    #expect(try profile(yaml).options.allowedNumbers == [173])
  }

  @Test func modulesAreKnownToNeedAProcess() throws {
    #expect(try profile("default: allow\nregions: [{code: exe, disposition: trap}]").namesModules)
    #expect(!(try profile("default: allow\nregions: [{code: 0x1000-0x2000, disposition: trap}]").namesModules))
  }

  @Test func overlappingModulesOfOneDispositionAreOne() throws {
    let profile = try profile("default: allow\nregions: [{code: ['lib*', libc.so.6], disposition: trap}]")
    let map = try profile.regionMap { _ throws(CodeNameError) in [range(0x1000, 0x3000)] }
    #expect(map.regions.count == 1)
  }

  @Test func aProfileOfManyRegionsIsReadAtOnce() throws {
    let regions = (0..<10_000).map { index -> String in
      let start = 0x1000_0000 + UInt64(index) * 0x2000
      return "  - {code: \(hexadecimal(start))-\(hexadecimal(start + 0x1000)), disposition: trap}\n"
    }
    let map = try profile("default: allow\nregions:\n" + regions.joined()).regionMap()
    #expect(map.regions.count == 10_000)
  }

  @Test func writableAndOtherCodeOfANameMayDiffer() throws {
    let profile = try profile(
      """
      default: trap
      regions:
        - {code: "*", disposition: allow, writable: false}
        - {code: "*", disposition: kill, writable: true}
      """)
    let map = try profile.regionMap { name throws(CodeNameError) in
      [name.writable == true ? range(0x1000, 0x2000) : range(0x4000, 0x5000)]
    }
    #expect(map.regions.map(\.disposition) == [.killProcess, .allow])
  }
}

/// A range whose bounds are known to be in order.
private func range(_ start: UInt64, _ end: UInt64) -> AddressRange {
  (try? AddressRange(start: start, end: end)) ?? { preconditionFailure("\(start) is not below \(end)") }()
}
