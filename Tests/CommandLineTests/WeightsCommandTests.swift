import FilterCompiler
import Foundation
import SystemPackage
import Testing

/// `--weights` and `--attached`, as their users meet them.
@Suite struct WeightsCommandTests {
  private static let counts = """
    calls: {read: 1000, 39: 10}
    code:
      0x5000-0x6000: 900
    """

  /// The command line in a folder with the counts and a profile in it.
  private func run(_ command: String, counts: String = counts) async throws -> CordonBinary.Outcome {
    let folder = try TemporaryFolder()
    _ = try folder.write(Array(counts.utf8), to: "w.yaml")
    let profile = """
      architecture: x86_64
      default: allow
      allowed-calls: [read, write, close, getpid, exit_group]
      regions:
        - {code: [0x1000-0x2000, 0x5000-0x6000, 0x100009000-0x10000a000], disposition: trap}
        - {code: 0x7000-0x8000, disposition: errno EPERM}
      """
    _ = try folder.write(Array(profile.utf8), to: "p.yaml")
    let path = CordonBinary.path.removingLastComponent().string
    return try await CordonBinary.shell("PATH=\(path):$PATH; \(command)", in: folder.path)
  }

  @Test func aFilterMadeForTheCountsIsQuickerForThem() async throws {
    let outcome = try await run(
      """
      cordon compile p.yaml -f raw -o a && cordon compile p.yaml --weights w.yaml -f raw -o b && cordon diff a b \
      && cordon prove b p.yaml && cordon cost a --weights w.yaml --arch x86_64 \
      && cordon cost b --weights w.yaml --arch x86_64 && cordon check b --nr read --ip 0x1002
      """)
    #expect(outcome.status == 0, "\(outcome.error)")
    let means = outcome.lines.filter { $0.hasPrefix("weighted") }.compactMap { Double($0.split(separator: " ")[1]) }
    #expect(means.count == 2 && means[1] < means[0], "\(means)")
    // Of the last verb the instructions that were run: read is asked for first.
    #expect(
      outcome.lines.reversed().drop(while: \.isEmpty).prefix { $0.hasPrefix("0") }.count == 5, "\(outcome.output)")
  }

  @Test func theMeanIsInTheJSON() async throws {
    let outcome = try await run(
      "cordon compile p.yaml -f raw | cordon cost - --json --weights w.yaml --arch x86_64")
    let document = try #require(try JSONSerialization.jsonObject(with: Data(outcome.bytes)) as? [String: Any])
    let filters = try #require(document["filters"] as? [[String: Any]])
    #expect(try #require(filters.first?["weighted"] as? Double) > 4)
    let plain = try await run("cordon compile p.yaml -f raw | cordon cost - --json")
    #expect(plain.status == 0 && !plain.output.contains("weighted"))
  }

  @Test func modulesAreLookedUpInTheProcess() async throws {
    let process = try LiveProcess()
    let outcome = try await run(
      "cordon compile --trap 0x1000-0x2000 --pid \(process.id) --weights w.yaml",
      counts: "code: {exe: 100, vdso: 3}")
    #expect(outcome.status == 0, "\(outcome.error)")
    let without = try await run("cordon compile p.yaml --weights w.yaml", counts: "code: {exe: 100}")
    #expect(without.status == 65 && without.error.contains("w.yaml:1:8: 'exe' is a module"), "\(without.error)")
  }

  @Test(arguments: [
    ("calls: {raed: 1}", "w.yaml:1:9: "), ("calls: {read: x}", "w.yaml:1:15: "), ("", "w.yaml:1:1: "),
  ])
  func badCountsAreShownAndNothingIsWritten(counts: String, place: String) async throws {
    let outcome = try await run(
      "cordon compile p.yaml --weights w.yaml -f raw -o out; s=$?; ls; exit $s", counts: counts)
    #expect(outcome.status == 65 && outcome.error.hasPrefix(place), "\(outcome.error)")
    #expect(!outcome.output.contains("out"))
  }

  @Test func missingFilesAndStrayOptionsAreRefused() async throws {
    #expect(try await run("cordon compile p.yaml --weights none.yaml").status == 65)
    #expect(try await run("cordon cost w.yaml --arch x86_64").status == 64)
    #expect(try await run("cordon compile - --weights - < p.yaml").status == 64)
  }

  /// Seven filters of the largest size leave some 4,000 eBPF instructions.
  @Test func aFilterHasToFitIntoWhatOthersLeave() async throws {
    let long = try Program(
      (0..<4095).map { _ in Operation.negate.instruction } + [Operation.answer(Action(.allow)).instruction])
    let folder = try TemporaryFolder()
    let attached = Array(repeating: "--attached long", count: 7).joined(separator: " ")
    _ = try folder.write(long.encoded(), to: "long")
    let path = CordonBinary.path.removingLastComponent().string
    func compile(_ regions: Int) async throws -> CordonBinary.Outcome {
      let traps = (1...regions).map { index in
        let start = UInt64(index) << 33 + UInt64(index) * 0x1000
        return "--trap \(hexadecimal(start))-\(hexadecimal(start + 0x1000))"
      }
      let command = "cordon compile \(traps.joined(separator: " ")) \(attached) -f raw -o out; s=$?; ls; exit $s"
      return try await CordonBinary.shell("PATH=\(path):$PATH; \(command)", in: folder.path)
    }
    let refused = try await compile(900)
    #expect(refused.status == 65 && !refused.output.contains("out"))
    let left = FilterStack.translatedBudget - 7 * (long.translatedLength + FilterStack.translatedOverhead)
    #expect(refused.error.contains("more than the \(left) that the attached filters leave"), "\(refused.error)")
    let taken = try await compile(10)
    #expect(taken.status == 0 && taken.output.contains("out"), "\(taken.error)")
  }
}
