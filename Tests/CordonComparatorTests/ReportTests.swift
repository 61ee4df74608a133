import struct Foundation.Data
import class Foundation.JSONSerialization
import Testing

@testable import CordonComparator

@Suite struct ComparisonReportTests {
  private func text(_ results: ComparisonResults, host: Host = someHost) -> String {
    ComparisonReport(
      host: host, loadBefore: [0.1, 0.2, 0.3], loadAfter: [], processor: 1, results: results
    ).text()
  }

  @Test func `a row has its figures, overhead and ratios`() throws {
    let report = text(
      results([
        ("none", "getppid", [100]), ("seccomp", "getppid", [150]), ("sud-selector", "getppid", [200]),
      ]))
    let row = try #require(report.split(separator: "\n").first { $0.contains(" seccomp ") })
    #expect(
      row.split(separator: " ") == ["seccomp", "150.0", "150.0", "150.0", "0.0", "+50.0", "1.50", "0.75"])
  }

  @Test func `what cannot be measured is a row with its whole reason`() {
    let reason =
      "this kernel does not know " + Array(repeating: "inclusive", count: 20).joined(separator: " ") + " dispatch"
    var found = results([("none", "getppid", [100]), ("sud-inclusive", "getppid", [])])
    found[Combination(mechanism: "sud-inclusive", workload: "getppid")].record(.unavailable(reason: reason), round: 0)
    let report = text(found)
    #expect(report.split { $0 == " " || $0 == "\n" }.joined(separator: " ").contains("sud-inclusive - \(reason)"))
    #expect(report.split(separator: "\n").allSatisfy { $0.count <= 110 })
  }

  @Test func `without a baseline there are no ratios, and no bars`() throws {
    let report = text(results([("seccomp", "getppid", [150])]))
    let row = try #require(report.split(separator: "\n").first { $0.contains(" seccomp ") })
    #expect(row.split(separator: " ").suffix(3) == ["-", "-", "-"])
    #expect(!report.contains("BAR"))
  }

  @Test func `no line is wider than 110 columns, even with large figures and long names`() {
    var host = someHost
    host.mitigations = Dictionary(
      uniqueKeysWithValues: (0..<40).map { ("some_vulnerability_\($0)", "Mitigation: something") })
    let mechanisms = Roster.mechanisms.map(\.name)
    let figures = Roster.workloads.suffix(2).flatMap { workload in
      mechanisms.map { (mechanism: $0, workload: workload.name, rounds: [87_654_321.0, 87_654_000.0]) }
    }
    let report = text(results(figures), host: host)
    #expect(report.split(separator: "\n").allSatisfy { $0.count <= 110 })
    #expect(report.split(separator: "\n").allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test func `host, build and what was done about vulnerabilities are told`() {
    let report = text(results([("none", "getppid", [100])]))
    for fact in ["Linux 6.18.0", "Some Processor", "BPF JIT on", "clock tsc", "0.10 0.20 0.30 before"] {
      #expect(report.contains(fact), "\(fact)")
    }
    #expect(report.contains("mitigated   retbleed\n") || report.contains("mitigated  retbleed\n"))
    #expect(report.contains("vulnerable  mds\n"))
    #expect(report.contains("\(BuildMode.current.rawValue) build"))
  }

  @Test func `published figures stand beside what was measured, marked with their sources`() throws {
    let report = text(
      results([("none", "sysinfo", [200]), ("seccomp", "sysinfo", [230]), ("sud-selector", "sysinfo", [240])]))
    let lines = report.split(separator: "\n")
    let rule = try #require(lines.first { $0.contains("4 instructions on the number") })
    #expect(rule.contains("+10 %") && rule.contains("[1]") && rule.contains("+15.0 % (seccomp, sysinfo)"))
    let selector = try #require(lines.first { $0.contains("selector byte ") })
    #expect(selector.contains("+40 ns") && selector.contains("+40.0 ns (sud-selector, sysinfo)"))
    for source in PublishedFigure.Source.allCases {
      #expect(lines.contains { $0.hasPrefix(source.rawValue) }, "\(source)")
    }
  }

  @Test func `MEMMAP stands below what was measured, marked as published`() throws {
    let lines = text(results([("none", "sysinfo", [200]), ("seccomp", "sysinfo", [230]), ("none", "getppid", [9])]))
      .split(separator: "\n").map(String.init)
    let seccomp = try #require(lines.firstIndex { $0.contains(" seccomp ") })
    #expect(lines[seccomp + 1].contains("MEMMAP [1]") && lines[seccomp + 1].contains("published: +1.5 %"))
    #expect(!text(results([("none", "getppid", [9])])).contains("MEMMAP"))
  }

  @Test func `whole programs stand in a table of their own, in milliseconds`() throws {
    let report = text(
      results([
        ("none", "getppid", [100]), ("none", "run-find", [4_000_000]), ("seccomp", "run-find", [8_000_000]),
        ("strace", "run-find", [80_000_000]),
      ]))
    let rows = report.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(rows.contains(["seccomp", "8.0", "8.0", "+4.0", "2.00", "0.10"]))
    #expect(rows.contains(["strace", "80.0", "80.0", "+76.0", "20.00", "1.00"]))
  }

  @Test func `the slow ones among single calls have a table of their own`() throws {
    let rows = text(results([("seccomp", "storm", [1_600, 1_700, 40_000])])).split(separator: "\n")
    let row = try #require(rows.drop { !$0.hasPrefix("A TRAPPED CALL") }.dropFirst().first)
    #expect(row.split(separator: " ") == ["seccomp", "1,700.0", "40,000.0", "40,000.0", "40,000.0", "40,000.0"])
  }

  @Test func `ratios are taken within rounds, whatever drifts`() throws {
    let report = text(results([("none", "getppid", [100, 200, 400]), ("seccomp", "getppid", [150, 300, 600])]))
    let row = try #require(report.split(separator: "\n").first { $0.contains(" seccomp ") })
    #expect(row.split(separator: " ").suffix(2) == ["1.50", "-"])
  }

  @Test func `how noisy it was stands above the figures`() {
    let report = ComparisonReport(
      host: someHost, loadBefore: [5, 0, 0], loadAfter: [], processor: nil, results: results([("none", "getppid", [1])])
    ).text()
    #expect(report.contains("noise") && report.contains("TOO MUCH: the machine was busy before (load 5.00)"))
  }

  @Test func `a bar is told with what was measured and whether it holds`() {
    let report = text(
      results([
        ("none", "getppid", [100]), ("seccomp", "getppid", [160]), ("sud-selector", "getppid", [150]),
        ("seccomp", "activation", [4_000_000]),
      ]))
    let bars = report.split(separator: "\n").filter { $0.hasSuffix("ok") || $0.hasSuffix("MISSED") }
    #expect(bars.count == 2)
    #expect(bars.first?.hasSuffix("1.20 x  -     <= 1.15 x  MISSED") == true)
    #expect(bars.last?.contains("4.00 ms  -     < 5.00 ms") == true)
  }
}

@Suite struct ComparisonDocumentTests {
  @Test func `the document is what the command line promises`() throws {
    var found = results([("none", "getppid", [100, 104]), ("sud-inclusive", "getppid", [])])
    found[Combination(mechanism: "sud-inclusive", workload: "getppid")].record(.unavailable(reason: "old"), round: 0)
    let document = ComparisonDocument(host: someHost, loadBefore: [1, 2, 3], loadAfter: [4, 5, 6], results: found)
    let bytes = try document.json()
    #expect(bytes.last == UInt8(ascii: "\n"))
    let object = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    #expect(Set(object.keys) == ["schema", "host", "results", "rounds", "elapsed_ns", "partial", "noise"])
    #expect(object["rounds"] as? Int == 2 && object["partial"] as? Bool == false)
    #expect(object["schema"] as? String == "cordon.compare/1")

    let host = try #require(object["host"] as? [String: Any])
    #expect(host["kernel"] as? String == "Linux 6.18.0")
    #expect(host["cpu"] as? String == "Some Processor")
    #expect(host["mitigations"] as? [String: String] == someHost.mitigations)
    #expect(host["jit"] as? String == "on")
    #expect(host["clock"] as? String == "tsc")
    #expect(host["load_before"] as? [Double] == [1, 2, 3])
    #expect(host["load_after"] as? [Double] == [4, 5, 6])

    let rows = try #require(object["results"] as? [[String: Any]])
    #expect(rows.count == 2)
    #expect(
      Set(rows[0].keys) == [
        "mechanism", "workload", "parameter", "samples", "operations", "minimum_ns", "median_ns", "p99_ns",
        "spread_ns", "percentiles_ns",
      ])
    #expect(rows[0]["samples"] as? Int == 2)
    #expect(rows[0]["operations"] as? Int == 200)
    #expect(rows[0]["minimum_ns"] as? Double == 100)
    #expect(Set(rows[1].keys) == ["mechanism", "workload", "parameter", "unavailable"])
    #expect(rows[1]["unavailable"] as? String == "old")
    #expect((rows[1]["parameter"] as? [String: Any])?.isEmpty == true)
  }
}

@Suite struct HostTests {
  @Test func `the JIT's setting is read as the kernel writes it`() {
    #expect(JITState(setting: "0") == .off)
    #expect(JITState(setting: "1") == .on)
    #expect(JITState(setting: "2") == .debugging)
    #expect(JITState(setting: nil) == .unknown)
  }

  @Test func `the processor's model is found`() {
    let information = "processor\t: 0\nvendor_id\t: Some\nmodel name\t: Some: Processor @ 1 GHz\nstepping\t: 6\n"
    #expect(Host.processorModel(information) == "Some: Processor @ 1 GHz")
    #expect(Host.processorModel("processor\t: 0\n") == nil)
  }

  @Test func `this machine says what it is`() {
    let host = Host.current()
    #expect(host.kernel.hasPrefix("Linux "))
    #expect(host.processorCount > 0)
    #expect(!host.mitigations.isEmpty)
    #expect(Host.load().count == 3)
  }
}
