import CLinux
import Dispatch
import FilterCompiler
import Glibc
import SystemPackage
import Testing

/// Children under filters of the test's own making, read back.
@Suite struct DumpCommandTests {
  private static let isPrivileged = geteuid() == 0

  /// Allows everything but reads at two addresses, so that each filter is another.
  private static func filter(_ index: Int) throws -> Program {
    var map = RegionMap(default: .allow)
    let start = UInt64(0x10_0000 * (index + 1))
    try map.insert(AddressRange(start: start, end: start + 0x1000), .errno(UInt16(index + 1)))
    return try map.compile()
  }

  @Test(.enabled(if: isPrivileged, "reading filters needs CAP_SYS_ADMIN"))
  func theFiltersComeBackAsTheyWereLoaded() async throws {
    let programs = try (0..<3).map(Self.filter)
    let process = try FilteredProcess(programs)
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.run("dump", "\(process.id)", "-o", folder.file("live"))
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let names = ["live.0.bpf", "live.1.bpf", "live.2.bpf"]
    #expect(outcome.lines.dropLast().map(String.init) == names.map { folder.file($0) })
    // The oldest first, as `check` and `show` take them.
    for (name, program) in zip(names, programs) { #expect(try folder.read(name) == program.encoded(), "\(name)") }
    // It is held no longer: it still works, and can be read again.
    #expect(try process.echoes())
    let listing = try await CordonBinary.run("dump", "\(process.id)")
    #expect(listing.status == 0)
    #expect(
      listing.lines.filter { $0.hasPrefix("#") } == [
        "# filter 1 of 3 of process \(process.id) (cat), \(programs[0].instructions.count) instructions",
        "# filter 2 of 3 of process \(process.id) (cat), \(programs[1].instructions.count) instructions",
        "# filter 3 of 3 of process \(process.id) (cat), \(programs[2].instructions.count) instructions",
      ])
    #expect(listing.output.contains("return errno 2"))
  }

  @Test(.enabled(if: isPrivileged, "reading filters needs CAP_SYS_ADMIN"))
  func whatCannotBeWrittenLeavesNothing() async throws {
    let process = try FilteredProcess([Self.filter(0), Self.filter(1)])
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      "mkdir p.1.bpf && { \"$cordon\" dump \(process.id) -o p; status=$?; rmdir p.1.bpf; exit $status; }",
      in: folder.path)
    #expect(outcome.status == 65 && outcome.error.hasPrefix("cordon: p.1.bpf: cannot be written: "))
    #expect(folder.contents.isEmpty)
  }

  @Test func withoutPrivilegesItIsSaidWhatIsMissing() async throws {
    let process = try FilteredProcess([Self.filter(0)])
    let outcome =
      if Self.isPrivileged {
        try await CordonBinary.run(
          "/usr/bin/env",
          ["setpriv", "--bounding-set", "-sys_admin", CordonBinary.path.string, "dump", "\(process.id)"])
      } else {
        try await CordonBinary.run("dump", "\(process.id)")
      }
    #expect(outcome.status == 69 && outcome.output.isEmpty, "\(outcome.error)")
    #expect(outcome.error.contains("CAP_SYS_ADMIN") && outcome.error.contains("sudo"), "\(outcome.error)")
    #expect(try process.echoes())
  }

  @Test(.enabled(if: isPrivileged, "reading filters needs CAP_SYS_ADMIN"))
  func underAnotherTracerItIsSaidWhose() async throws {
    let process = try FilteredProcess([Self.filter(0)])
    let (ready, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    // What runs cannot be detached from; the kernel does it when the tracing thread ends.
    let tracer = OwnThread { [id = process.id] in
      _ = linux_call(Int(SYS_ptrace), 0x4206, Int(id), 0, 0, 0, 0)
      ready.signal()
      done.wait()
    }
    ready.wait()
    let outcome = try await CordonBinary.run("dump", "\(process.id)")
    done.signal()
    tracer.join()
    #expect(
      outcome.status == 65 && outcome.error.contains("already traced, by process \(getpid()) ("), "\(outcome.error)")
    #expect(try process.echoes())
  }

  @Test func whatHasNoFiltersIsRefused() async throws {
    let plain = try LiveProcess()
    let outcome = try await CordonBinary.run("dump", "\(plain.id)")
    #expect(outcome.status == 65 && outcome.error.hasPrefix("cordon: process \(plain.id): it has no filters\n"))
    let gone = try await CordonBinary.run("dump", "\(Int32.max)")
    #expect(gone.status == 65 && gone.error.hasPrefix("cordon: process \(Int32.max): there is no such process\n"))
    for arguments in [["dump"], ["dump", "0"], ["dump", "cat"], ["dump", "-1"]] {
      #expect(try await CordonBinary.run(CordonBinary.path, arguments).status == 64)
    }
    #expect(try await CordonBinary.run("help", "dump").output.contains("Examples:\n  cordon dump 4711\n"))
  }
}
