import Glibc
import Testing

import struct Foundation.Data
import class Foundation.JSONDecoder
import class Foundation.JSONEncoder

@testable import CordonComparator

@Suite struct ConformanceTests {
  /// What a session's mechanisms can do on a kernel that has them; the rest of the roster needs the program `cordon`.
  @Test(arguments: ["seccomp", "sud-exclusive", "sud-selector", "sud-inclusive"], Capability.allCases)
  func `a session's mechanism does all that there is, but for what is known`(name: String, capability: Capability)
    async throws
  {
    await #expect(processExitsWith: .exitCode(0)) {
      [name = name as String, capability = capability.rawValue as String] in
      alarm(900)
      guard let mechanism = Roster.mechanisms.first(where: { $0.name == name }),
        let capability = Capability(rawValue: capability)
      else { exit(1) }
      let finding = Probe(mechanism, capability).run()
      print("\(name) \(capability.rawValue): \(finding)")
      let expected: String
      switch (name, capability) {
      // One range in the kernel, and cleared in every child.
      case ("seccomp", _): expected = "yes"
      case (_, .manyRegions): expected = "partly"
      case (_, .forkedChildren): expected = "no"
      default: expected = "yes"
      }
      if case .unavailable = finding { exit(0) }
      exit(finding.word == expected ? 0 : 2)
    }
  }

  @Test func `without a mechanism nothing is trapped, and what needs no trap holds`() throws {
    let native = NativeMechanism()
    #expect(Probe(native, .nativePasses).run() == .yes)
    #expect(Probe(native, .executedPrograms).run() == .yes)
    #expect(Probe(native, .answersValue).run() == .no("nothing is trapped"))
  }

  @Test(arguments: [Finding.yes, .partly("a"), .no("b"), .unavailable("c"), .broken("d")])
  func `a finding is read back as it was written`(finding: Finding) throws {
    let bytes = try JSONEncoder().encode(finding)
    #expect(try JSONDecoder().decode(Finding.self, from: bytes) == finding)
    #expect(String(decoding: bytes, as: UTF8.self).contains("\"found\":\"\(finding.word)\""))
  }

  @Test func `what does something wrong is not measured, and the row says why`() async throws {
    var conformance = Conformance()
    conformance["seccomp", .underSignals] = .broken("a call returned 7 instead of 5")
    conformance["none", .underSignals] = .no("nothing is trapped")
    let combinations = Roster.combinations(mechanisms: ["none", "seccomp"], workloads: ["getppid"])
    let extent = Extent(rounds: 2, sampling: Sampling(warmUp: 0, duration: 0, batch: 0), budget: .seconds(5))
    let comparison = Comparison(combinations: combinations, extent: extent) { _ in .measured(measurement(5)) }
    let results = try #require(await comparison.run(conformance: conformance))
    #expect(results.series("none", "getppid")?.samples == 2)
    #expect(results[combinations[1]].reason?.contains("a call returned 7 instead of 5") == true)
    #expect(results.conformance == conformance)
  }

  @Test func `native calls that are not left alone are an obstacle`() {
    var conformance = Conformance()
    conformance["seccomp", .nativePasses] = .no("it was answered")
    #expect(conformance.obstacle(to: "seccomp")?.contains("native calls are not left alone") == true)
    #expect(conformance.obstacle(to: "none") == nil)
  }

  @Test func `the table has a word for each capability, explains them, and stays within the width`() {
    var conformance = Conformance()
    for capability in Capability.allCases { conformance["seccomp", capability] = .yes }
    conformance["sud-inclusive", .manyRegions] = .partly("what lies between traps too")
    let lines = conformance.lines(width: 110)
    #expect(lines.allSatisfy { $0.count <= 110 })
    #expect(lines[1].split(separator: " ") == ["seccomp"] + Capability.allCases.map { _ in "yes" })
    #expect(lines.contains("sud-inclusive, regions: what lies between traps too"))
    for capability in Capability.allCases {
      #expect(lines.joined(separator: " ").contains("\(capability.rawValue):"), "\(capability)")
    }
  }
}
