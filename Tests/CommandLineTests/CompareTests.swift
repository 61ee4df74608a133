import Cordon
import Glibc
import Subprocess
import SystemPackage
import Testing

import struct Foundation.Data
import class Foundation.JSONDecoder

/// The part of `cordon.compare/1` that every reader relies on.
private struct Document: Decodable {
  struct Host: Decodable {
    var kernel: String
    var cpu: String
    var mitigations: [String: String]
    var jit: String
    var clock: String
    var load_before: [Double]
    var load_after: [Double]
  }
  struct Row: Decodable {
    var mechanism: String
    var workload: String
    var parameter: [String: Int]
    var samples: Int?
    var operations: Int?
    var minimum_ns: Double?
    var median_ns: Double?
    var p99_ns: Double?
    var unavailable: String?
  }
  var schema: String
  var host: Host
  var results: [Row]

  init(_ text: String) throws {
    self = try JSONDecoder().decode(Document.self, from: Data(text.utf8))
  }
}

// One after the other: each keeps a processor busy.
@Suite(.serialized) struct CompareTests {
  @Test func `figures go to standard output as JSON, without a table`() async throws {
    let run = try await CordonBinary.run(
      "compare", "--quick", "--mechanism", "seccomp", "--mechanism", "none", "--workload", "getppid", "--json", "-")
    #expect(run.status == 0)
    #expect(run.error == "")
    let document = try Document(run.output)
    #expect(document.schema == "cordon.compare/1")
    #expect(document.host.kernel.hasPrefix("Linux "))
    #expect(document.host.load_before.count == 3 && document.host.load_after.count == 3)
    #expect(document.results.map(\.mechanism) == ["none", "seccomp"])
    for row in document.results {
      #expect(row.workload == "getppid" && row.parameter.isEmpty && row.unavailable == nil)
      let samples = try #require(row.samples)
      #expect(samples > 0)
      #expect(try #require(row.operations) >= samples)
      let minimum = try #require(row.minimum_ns)
      let median = try #require(row.median_ns)
      #expect(minimum > 0 && minimum <= median)
      #expect(median <= (try #require(row.p99_ns)))
    }
  }

  @Test func `every mechanism traps or says why it cannot`() async throws {
    let folder = try TemporaryFolder()
    let run = try await CordonBinary.run(
      "compare", "--quick", "--workload", "trap-error", "--workload", "activation", "--json", folder.file("figures"))
    #expect(run.status == 0, "\(run.error)")
    let document = try Document(String(decoding: folder.read("figures"), as: UTF8.self))
    #expect(folder.contents == ["figures"])
    #expect(
      document.results.map(\.mechanism) == [
        "none", "seccomp", "sud-exclusive", "sud-selector", "sud-inclusive", "user-notif", "seccomp-trace",
        "ptrace-sysemu", "ptrace-syscall", "seccomp",
      ])
    #expect(document.results.allSatisfy { ($0.median_ns == nil) == ($0.unavailable != nil) })
    #expect(document.results.last?.parameter == ["regions": 1_000])
    // Beside the file, the table.
    let lines = run.output.split(separator: "\n")
    #expect(lines.first?.contains("build") == true)
    #expect(lines.contains { $0.hasPrefix("WORKLOAD") && $0.contains("MEDIAN ns") && $0.contains("x selector") })
    for mechanism in ["none", "seccomp", "sud-exclusive", "sud-selector", "sud-inclusive"] {
      #expect(lines.contains { $0.split(separator: " ").contains(Substring(mechanism)) }, "\(mechanism)")
    }
    #expect(lines.contains { $0.hasPrefix("activation of 1,000 regions") && $0.contains(" ms ") })
    #expect(lines.allSatisfy { $0.count <= 110 })
  }

  @Test(arguments: [
    (["--mechanism", "secomp"], "there is no 'secomp'", "did you mean 'seccomp'?"),
    (["--workload", "get-ppid"], "there is no 'get-ppid'", "did you mean 'getppid'?"),
    (
      ["--workload", "x"], "there is no 'x'",
      "known are sysinfo, getppid, read, regions-1, regions-8, regions-64, regions-512, regions-1024, regions-2048, "
        + "trap-value, trap-error, trap-pass, trap-redirect, crossing-1, crossing-4, crossing-16, crossing-64, "
        + "threads-1, threads-2, threads-4, threads-8, changes-0, changes-1, changes-10, changes-100, changes-1000, change, "
        + "storm, spawn, activation, harness, run-find, run-tar, run-sqlite3, run-python3, run-gcc, run-gofmt"
    ),
    (["--mechanism", "none", "--workload", "activation"], "none of these workloads", ""),
    (["--csv", "-", "--json", "-"], "only one report fits on standard output", "name files for the others"),
    (["--merge", "a", "--quick"], "nothing is measured", "leave out the rest"),
    (["--merge", "a", "--svg", "x"], "one chart is of one comparison", "--html has the charts of all"),
  ])
  func `what does not exist is a usage error that says what does`(
    arguments: [String], problem: String, remedy: String
  ) async throws {
    let result = try await CordonBinary.run(CordonBinary.path, ["compare"] + arguments)
    #expect(result.status == 64)
    #expect(result.output == "")
    let lines = result.error.split(separator: "\n")
    #expect(lines.first?.hasPrefix("cordon: ") == true && lines.first?.contains(problem) == true, "\(result.error)")
    #expect(remedy.isEmpty || lines.contains(Substring(remedy)), "\(result.error)")
  }

  // Everything, in full, takes most of a minute, and longer where these tests are built for debugging.
  @Test(.timeLimit(.ofPrograms), arguments: ["/nonexistent/figures", "/tmp", "/proc/figures"])
  func `a result that cannot be written is refused before anything is measured`(name: String) async throws {
    let result = try await CordonBinary.run("compare", "--json", name)
    #expect(result.status == 65)
    #expect(result.output == "")
    #expect(result.error.hasPrefix("cordon: \(name): cannot be written: "))
  }

  @Test func `one run writes every form, and the JSON can be merged`() async throws {
    let folder = try TemporaryFolder()
    let run = try await CordonBinary.run(
      "compare", "--quick", "--mechanism", "seccomp", "--mechanism", "none", "--workload", "getppid",
      "--json", folder.file("a.json"), "--csv", folder.file("a.csv"), "--html", folder.file("a.html"),
      "--svg", folder.file("a.svg"))
    #expect(run.status == 0, "\(run.error)")
    #expect(folder.contents.sorted() == ["a.csv", "a.html", "a.json", "a.svg"])
    func text(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }
    #expect(try text("a.csv").hasPrefix("kernel,cpu,mechanism,workload"))
    #expect(try text("a.html").contains("seccomp adds least to an untrapped getppid(2)"))
    #expect(try text("a.svg").hasPrefix("<svg "))

    let merged = try await CordonBinary.run(
      "compare", "--merge", folder.file("a.json"), folder.file("a.json"), "--json", folder.file("both.json"))
    #expect(merged.status == 0, "\(merged.error)")
    #expect(merged.output.contains("MEDIAN ns [2]"))
    #expect(try text("both.json").contains("cordon.compare-merge/1"))
  }

  /// Each figure stands only if exactly the calls were answered that should have been, and as they should.
  @Test(arguments: ["user-notif", "seccomp-trace", "ptrace-sysemu", "ptrace-syscall"])
  func `a supervisor answers the guest's calls and no others`(mechanism: String) async throws {
    let workloads = ["getppid", "trap-value", "trap-pass", "trap-redirect", "spawn"]
    let run = try await CordonBinary.run(
      CordonBinary.path,
      ["compare", "--quick", "--mechanism", mechanism, "--json", "-"] + workloads.flatMap { ["--workload", $0] })
    #expect(run.status == 0, "\(run.error)")
    let rows = try Document(run.output).results
    #expect(rows.map(\.workload) == workloads.filter { mechanism != "user-notif" || $0 != "trap-redirect" })
    // What a tracer, which follows neither threads nor children, does not do does not keep it from being measured.
    #expect(run.output.contains("\"conformance\""))
    for row in rows { #expect(row.median_ns != nil, "\(row.workload): \(row.unavailable ?? "")") }
  }

  @Test func `nobody but a measurement starts a supervisor`() async throws {
    let run = try await CordonBinary.run("compare", "supervise", "ptrace-syscall", "value", "1", "4096", "8192", "0")
    #expect(run.status == 64)
    #expect(run.error.contains("only a measurement starts it"))
  }

  @Test func `a report that is none is refused before anything is written`() async throws {
    let folder = try TemporaryFolder()
    let bad = try folder.write(Array("{\"schema\": \"cordon.bench/1\"}".utf8), to: "bad")
    let run = try await CordonBinary.run(
      "compare", "--merge", bad, "--html", folder.file("report"))
    #expect(run.status == 65 && run.output == "")
    #expect(run.error.contains("has the schema 'cordon.bench/1', not 'cordon.compare/1'"))
    #expect(folder.contents == ["bad"])
  }

  @Test func `an interruption after the first round leaves a report that says so`() async throws {
    let folder = try TemporaryFolder()
    let run = await InterruptedRun(
      ["compare", "--mechanism", "none", "--workload", "getppid", "--json", folder.file("figures")],
      // When the second measurement begins, the first round is over.
      by: SIGINT, atChild: 2, startedWith: "measure")
    #expect(run.status == SIGINT)
    #expect(run.output.contains("INTERRUPTED"))
    #expect(String(decoding: try folder.read("figures"), as: UTF8.self).contains("\"partial\" : true"))
  }

  @Test func `programs run as they do natively, and what they work on is gone afterwards`() async throws {
    let folder = try TemporaryFolder()
    let run = try await CordonBinary.run(
      CordonBinary.path,
      ["compare", "--quick", "--workload", "run-find", "--workload", "run-gofmt", "--json", "-"],
      environment: ["TMPDIR": folder.path.string])
    #expect(run.status == 0, "\(run.error)")
    #expect(folder.contents.isEmpty)
    let rows = try Document(run.output).results
    #expect(
      rows.map(\.mechanism) == [
        "none", "seccomp", "sud-exclusive", "strace", "none", "seccomp", "sud-exclusive", "strace",
      ])
    for row in rows where row.median_ns == nil {
      // Programs that a machine lacks are rows with the reason; find is everywhere.
      #expect(
        row.unavailable?.contains("not installed") == true || row.mechanism == "strace", "\(row.unavailable ?? "")")
      #expect(row.workload == "run-gofmt" || row.mechanism == "strace")
    }
  }

  @Test func `programs that nothing can be made for are refused before anything is measured`() async throws {
    let run = try await CordonBinary.run(
      CordonBinary.path, ["compare", "--quick", "--workload", "run-find"],
      environment: ["TMPDIR": "/nonexistent"])
    #expect(run.status == 69 && run.output == "")
    #expect(run.error.contains("no temporary folder") && run.error.contains("set TMPDIR"))
  }

  @Test func `on one processor what needs two says so, and the rest is measured`() async throws {
    let one = try #require(permittedProcessors().last)
    let run = try await CordonBinary.run(
      "/usr/bin/taskset",
      [
        "-c", "\(one)", CordonBinary.path.string, "compare", "--quick", "--mechanism", "none", "--workload", "getppid",
        "--workload", "threads-1", "--workload", "threads-2", "--workload", "storm", "--json", "-",
      ])
    #expect(run.status == 0, "\(run.error)")
    let rows = try Document(run.output).results
    #expect(rows.map(\.workload) == ["getppid", "threads-1", "threads-2", "storm"])
    #expect(rows[0].median_ns != nil && rows[1].median_ns != nil)
    #expect(rows[2].unavailable == "threads do not call at once on one processor")
    #expect(rows[3].unavailable?.contains("a processor of their own") == true)
  }

  /// As a container's profile does it, or a kernel without the feature.
  @Test(arguments: [
    (RefusedCall.ptrace, "ptrace-syscall", "trap-value", "may not be traced"),
    (.ptrace, "seccomp-trace", "trap-value", "may not be traced"),
    (.dispatch, "sud-inclusive", "trap-value", "does not know"),
    (.dispatch, "sud-selector", "storm", "does not know"),
  ])
  func `what this process may not do is a row with the reason, and the rest is measured`(
    call: RefusedCall, mechanism: String, workload: String, reason: String
  ) async throws {
    if workload == "storm", permittedProcessors().count < 2 {
      return print("\(workload) is not measured here, where there is one processor")
    }
    let folder = try TemporaryFolder()
    let file = folder.file("figures")
    await #expect(processExitsWith: .exitCode(0)) {
      [
        call = call as RefusedCall, path = CordonBinary.path.string as String, file = file as String,
        mechanism = mechanism as String, workload = workload as String
      ] in
      alarm(900)
      call.refuse()
      execute(
        path, "compare", "--quick", "--mechanism", mechanism, "--mechanism", "none", "--workload", workload,
        "--workload", "getppid", "--json", file)
    }
    let rows = try Document(String(decoding: folder.read("figures"), as: UTF8.self)).results
    for row in rows {
      if row.mechanism == "none" {
        #expect(row.median_ns != nil, "\(row.unavailable ?? "")")
      } else {
        #expect(row.unavailable?.contains(reason) == true, "\(row.workload): \(row.unavailable ?? "measured")")
      }
    }
  }

  @Test func `an interruption while programs run leaves a report, and nothing else`() async throws {
    let folder = try TemporaryFolder()
    let run = await InterruptedRun(
      [
        "compare", "--mechanism", "none", "--workload", "run-find", "--workload", "threads-1", "--json",
        folder.file("figures"),
      ], environment: ["TMPDIR=\(folder.path)"],
      // The third measurement is in the second round; before the first one is over there is nothing to report.
      by: SIGINT, atChild: 3, startedWith: "measure")
    #expect(run.status == SIGINT)
    #expect(folder.contents == ["figures"])
    let text = String(decoding: try folder.read("figures"), as: UTF8.self)
    #expect(text.contains("\"partial\" : true"))
    #expect(try Document(text).results.contains { $0.workload == "run-find" && $0.median_ns != nil })
  }

  @Test func `a device is written to and stays one`() async throws {
    let result = try await CordonBinary.run(
      "compare", "--quick", "--mechanism", "none", "--workload", "sysinfo", "--json", "/dev/null")
    #expect(result.status == 0, "\(result.error)")
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `an interruption ends it by that signal and leaves nothing behind`(signal: Int32) async throws {
    let folder = try TemporaryFolder()
    // It is at work as soon as it has a child.
    let run = await InterruptedRun(["compare", "--json", folder.file("figures")], by: signal, atChild: 1)
    #expect(run.status == signal)
    #expect(run.output == "")
    #expect(folder.contents.isEmpty)
    let child = try #require(run.children.first)
    #expect(kill(child, 0) == -1 && errno == ESRCH)
  }

  /// The numbers that the processors' list begins and ends with, on which this process may run.
  private func permittedProcessors() -> [Int] {
    let list = KernelFile.field("Cpus_allowed_list", of: "/proc/self/status") ?? ""
    return list.split { !$0.isNumber }.compactMap { Int($0) }
  }

  @Test func `help explains mechanisms, workloads and exit codes, with an example`() async throws {
    let result = try await CordonBinary.run("help", "compare")
    #expect(result.status == 0)
    for text in ["sud-selector", "trap-value", "MISSED", "69", "Examples:", "cordon compare --quick"] {
      #expect(result.output.contains(text), "\(text)")
    }
    // The process that measures is no verb for people.
    #expect(!result.output.contains("compare measure"))
  }
}
