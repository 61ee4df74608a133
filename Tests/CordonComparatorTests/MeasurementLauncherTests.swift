import Cordon
import Glibc
import SystemPackage
import Testing

@testable import CordonComparator

/// Judges by shell commands in the place of the measuring process: whatever they do has to become an answer.
@Suite struct MeasurementLauncherTests {
  private func reply(_ command: String, limit: Duration = .seconds(1_000)) async -> Reply {
    let launcher = MeasurementLauncher(
      executable: "/bin/sh", arguments: ["-c", command, "sh"],
      sampling: Sampling(warmUp: 1, duration: 2, batch: 3), processor: 5, limit: limit)
    return await launcher.measure(Combination(mechanism: "some", workload: "work"))
  }

  @Test func `an answer is taken as it is`() async {
    let command = #"echo '{"measured":{"_0":{"operationsPerSample":7,"picoseconds":[1,2]}}}'"#
    #expect(await reply(command) == .measured(Measurement(operationsPerSample: 7, picoseconds: [1, 2])))
    #expect(await reply(#"echo '{"unavailable":{"reason":"too old"}}'"#) == .unavailable(reason: "too old"))
  }

  @Test func `the process is told what to measure`() async {
    let arguments = await reply(#"echo "$*" >&2; exit 3"#)
    #expect(
      arguments
        == .failed(
          reason: "its process exited with status 3: some work --warm-up 1 --duration 2 --batch 3 --processor 5"))
  }

  @Test func `a crash is an answer that names the signal`() async {
    #expect(
      await reply("kill -SEGV $$") == .failed(reason: "its process was ended by signal 11 (Segmentation fault)"))
    #expect(await reply("kill -SYS $$") == .failed(reason: "its process was ended by signal 31 (Bad system call)"))
  }

  @Test(arguments: ["echo nonsense", "true", "echo '{}'"])
  func `nonsense is an answer`(command: String) async throws {
    guard case .failed(let reason) = await reply(command) else {
      Issue.record("it was taken for a measurement")
      return
    }
    #expect(reason.contains("makes no sense"))
  }

  @Test func `a process that hangs is killed and reaped`() async throws {
    let name = "/tmp/cordon-comparator-\(getpid())"
    defer { unlink(name) }
    // On a busy machine it may be killed before it has said its number.
    var process: pid_t?
    for seconds in [1, 10, 60] where process == nil {
      // Even one that asks to be left alone.
      let command = "trap '' TERM INT; echo $$ > \(name); while :; do sleep 1; done"
      let answer = await reply(command, limit: .seconds(seconds))
      guard case .unavailable(let reason) = answer else {
        Issue.record("\(answer)")
        return
      }
      #expect(reason.contains("was killed"))
      process = KernelFile.line(name).flatMap { pid_t($0) }
    }
    #expect(kill(try #require(process), 0) == -1 && errno == ESRCH)
  }

  @Test func `a program that is not there is an answer`() async {
    let launcher = MeasurementLauncher(
      executable: "/nonexistent/cordon", arguments: [], sampling: Sampling(warmUp: 1, duration: 2, batch: 3),
      processor: nil, limit: .seconds(1_000))
    guard case .failed = await launcher.measure(Combination(mechanism: "some", workload: "work")) else {
      Issue.record("it was run")
      return
    }
  }
}
