import FilterCompiler
import Foundation
import Testing

@Suite struct CostCommandTests {
  private func filter(_ numbers: [UInt32]) throws -> [UInt8] {
    var map = RegionMap(default: .allow)
    try map.insert(AddressRange(start: 0x1000, end: 0x2000), .trap)
    return try map.compile(CompileOptions(allowedNumbers: numbers)).encoded()
  }

  @Test func oneFilterInWords() async throws {
    let bytes = try filter([0, 39])
    let program = try Program(raw: bytes)
    let outcome = try await CordonBinary.run("cost", "-", input: bytes)
    #expect(outcome.status == 0 && outcome.error.isEmpty)
    let lines = outcome.lines
    #expect(lines[0] == "# standard input")
    #expect(lines[1] == "instructions  \(program.instructions.count) of 4096")
    #expect(lines[2] == "eBPF          \(program.translatedLength) instructions")
    #expect(lines[3].hasPrefix("path          ") && lines[3].contains(" on average over its "))
    #expect(lines.contains { $0.hasPrefix("eBPF budget   \(program.translatedLength) of 32768, 0.") })
    #expect(lines.contains { $0.hasPrefix("allow bitmap  x86_64: 2 of ") && $0.hasSuffix(" calls: read, getpid") })
    #expect(lines.contains { $0.hasPrefix("              i386: none of ") })
  }

  @Test func aStackTakesItsSumAndWhatAllOfItAllows() async throws {
    let folder = try TemporaryFolder()
    let files = try [
      folder.write(filter([0, 39]), to: "a"), folder.write(filter([39, 60]), to: "b"),
    ]
    let outcome = try await CordonBinary.run(CordonBinary.path, ["cost"] + files + ["--json"])
    let document = try #require(try JSONSerialization.jsonObject(with: Data(outcome.bytes)) as? [String: Any])
    #expect(document["schema"] as? String == "cordon.cost/1")
    let programs = try [filter([0, 39]), filter([39, 60])].map { try Program(raw: $0) }
    #expect(document["ebpf"] as? Int == FilterStack(programs).translatedLength)
    #expect(document["ebpf_budget"] as? Int == 32768)
    let filters = try #require(document["filters"] as? [[String: Any]])
    #expect(filters.map { $0["file"] as? String } == files)
    #expect(filters.map { $0["ebpf"] as? Int } == programs.map(\.translatedLength))
    let bitmap = try #require(document["allow_bitmap"] as? [String: [String: Any]])
    #expect(bitmap["x86_64"]?["cached"] as? [String] == ["getpid"])
    #expect(bitmap["riscv64"]?["cached"] as? [String] == [])
  }

  @Test func tooMuchForTheKernelIsSaid() async throws {
    let folder = try TemporaryFolder()
    let long = try Program(
      (0..<4095).map { _ in Operation.negate.instruction } + [Operation.answer(Action(.allow)).instruction])
    let file = try folder.write(long.encoded(), to: "long")
    let outcome = try await CordonBinary.run(CordonBinary.path, ["cost"] + Array(repeating: file, count: 8))
    let over = 8 * (4095 + 2 + 3) + 7 * 4 - 32768
    #expect(outcome.status == 0 && outcome.output.contains("\(over) too many: the kernel refuses"), "\(outcome.output)")
  }

  @Test func helpHasAnExample() async throws {
    let outcome = try await CordonBinary.run("help", "cost")
    #expect(outcome.status == 0 && outcome.output.contains("Examples:\n  cordon cost "))
    #expect(try await CordonBinary.run("cost").status == 64)
  }
}
