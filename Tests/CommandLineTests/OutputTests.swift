import Glibc
import Subprocess
import SystemPackage
import Testing

/// Where results go: nothing half-written, no raw bytes and no unwanted colour on a terminal.
@Suite struct OutputTests {
  @Test func aFileAppearsWholeAndAlone() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      "umask 027; \"$cordon\" compile --trap 0x1000-0x2000 -f raw -o f", in: folder.path)
    #expect(outcome.status == 0 && outcome.output.isEmpty && outcome.error.isEmpty)
    #expect(folder.contents == ["f"])
    #expect(try folder.read("f").count == 7 * 8)
    #expect(try mode(folder.file("f")) == 0o640)
  }

  @Test func anOldFileIsReplacedAndKeepsItsMode() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(Array(repeating: 0x41, count: 9999), to: "f")
    chmod(file, 0o600)
    symlink("f", folder.file("link"))
    let outcome = try await CordonBinary.run(
      "compile", "--trap", "0x1000-0x2000", "-f", "raw", "-o", folder.file("link"))
    #expect(outcome.status == 0)
    #expect(folder.contents == ["f", "link"])
    #expect(try folder.read("f").count == 7 * 8, "the link still leads there")
    #expect(try mode(file) == 0o600)
  }

  @Test func anOldFileSurvivesAFailure() async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write([1, 2, 3], to: "f")
    let refused = try await CordonBinary.run("compile", "--trap", "0x2000-0x1000", "-o", folder.file("f"))
    #expect(refused.status == 65)
    // No file may grow: the write itself fails.
    let full = try await CordonBinary.shell(
      "trap '' XFSZ; ulimit -f 0; \"$cordon\" compile --trap 0x1000-0x2000 -o f", in: folder.path)
    #expect(full.status == 65, "\(full.error)")
    #expect(try folder.read("f") == [1, 2, 3])
    #expect(folder.contents == ["f"])
  }

  @Test(.enabled(if: geteuid() == 0, "only root may mount a file system"), arguments: ["text", "raw", "svg", "json"])
  func aFullDiskGetsNothing(format: String) async throws {
    let folder = try TemporaryFolder()
    let profile = try folder.write(
      Array("default: allow\nregions: [{code: 0x1000-0x2000, disposition: trap}]\n".utf8), to: "p.yaml")
    let outcome = try await CordonBinary.shell(
      """
      mkdir disk; unshare -m sh -c 'mount -t tmpfs -o size=4k none disk || exit 99
      echo old > disk/old; "$cordon" compile \(profile) -f \(format) -o disk/old; a=$?
      "$cordon" compile \(profile) -f \(format) -o disk/new; b=$?; ls -A disk; cat disk/old; exit $((a == 65 && b == 65))'
      status=$?; rmdir disk; exit $status
      """, in: folder.path)
    #expect(outcome.status == 1 && outcome.output == "old\nold\n", "\(outcome)")
    let problem = "cannot be written: No space left on device"
    #expect(outcome.error == "cordon: disk/old: \(problem)\ncordon: disk/new: \(problem)\n", "\(outcome.error)")
  }

  @Test func devicesAndPipesAreWrittenToAsTheyAre() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      "mkfifo p; cat p > got & \"$cordon\" compile --trap 0x1000-0x2000 -f raw -o p; wait; test -p p", in: folder.path)
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try folder.read("got").count == 7 * 8)
    let full = try await CordonBinary.run("compile", "--trap", "0x1000-0x2000", "-o", "/dev/full")
    #expect(full.status == 65 && full.error.hasPrefix("cordon: /dev/full: cannot be written: "))
    var status = stat()
    #expect(stat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func whoCannotWriteSaysSo() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell("\"$cordon\" compile --trap 0x1000-0x2000 > /dev/full", in: folder.path)
    #expect(outcome.status == 69 && outcome.error.hasPrefix("cordon: standard output: cannot be written: "))
  }

  @Test func rawBytesAreKeptFromATerminal() async throws {
    let terminal = try Terminal()
    let (status, shown) = try await terminal.run(["compile", "--trap", "0x1000-0x2000", "-f", "raw"])
    #expect(status == .exited(64) && shown.isEmpty)
  }

  @Test(
    arguments: [
      ([:], true), (["NO_COLOR": "1"], false), (["NO_COLOR": ""], true), (["TERM": "dumb"], false),
    ] as [([Environment.Key: String], Bool)])
  func onlyATerminalGetsColourAndOnlyIfItsUserWants(environment: [Environment.Key: String], isColoured: Bool)
    async throws
  {
    let terminal = try Terminal()
    let (status, shown) = try await terminal.run(["compile", "--trap", "0x1000-0x2000"], environment)
    #expect(status == .exited(0) && shown.contains("return trap"))
    #expect(shown.contains("\u{1b}[") == isColoured)
    let piped = try await CordonBinary.run("compile", "--trap", "0x1000-0x2000")
    #expect(!piped.output.contains("\u{1b}"))
  }

  private func mode(_ path: String) throws -> mode_t {
    var status = stat()
    try #require(stat(path, &status) == 0)
    return status.st_mode & 0o777
  }
}

/// A terminal without a person before it.
private struct Terminal: ~Copyable {
  private let controller: FileDescriptor
  private let screen: FileDescriptor

  init() throws {
    // What unlockpt(3) and ptsname(3) do, which Swift's Glibc does not have.
    let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    let controller = try FileDescriptor.open("/dev/ptmx", .readWrite, options: .init(rawValue: O_NOCTTY))
    var (lock, number): (CInt, CInt) = (0, 0)
    try #require(ioctl(controller.rawValue, setLock, &lock) == 0)
    try #require(ioctl(controller.rawValue, getNumber, &number) == 0)
    let screen = try FileDescriptor.open("/dev/pts/\(number)", .readWrite, options: .init(rawValue: O_NOCTTY))
    (self.controller, self.screen) = (controller, screen)
  }

  /// Runs `cordon` with its output here; returns how it ended and what was shown.
  func run(
    _ arguments: [String], _ environment: [Environment.Key: String] = [:]
  ) async throws -> (TerminationStatus, String) {
    var variables: [Environment.Key: String?] = ["NO_COLOR": String?.none, "TERM": "xterm"]
    for (name, value) in environment { variables[name] = value }
    let result = try await Subprocess.run(
      .path(CordonBinary.path), arguments: Arguments(arguments), environment: .inherit.updating(variables),
      output: .fileDescriptor(screen, closeAfterSpawningProcess: false), error: .discarded)
    // A listing is smaller than what a terminal holds back for its reader.
    _ = fcntl(controller.rawValue, F_SETFL, O_NONBLOCK)
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = try? buffer.withUnsafeMutableBytes { try controller.read(into: $0) }
    return (result.terminationStatus, String(decoding: buffer[..<(count ?? 0)], as: UTF8.self))
  }

  deinit {
    try? controller.close()
    try? screen.close()
  }
}
