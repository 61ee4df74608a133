import FilterCompiler
import SyscallPolicy
import Testing

/// Files of counts: what they mean, and what is said of those that mean nothing.
@Suite struct WeightsFileTests {
  private func weights(_ yaml: String, finding find: Profile.CodeFinder? = nil) throws -> CallWeights {
    try WeightsFile(yaml: yaml, file: "w.yaml", architecture: .x86_64).weights(finding: find)
  }

  private func error(_ yaml: String) -> String {
    do {
      _ = try weights(yaml)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func callsAndCodeAreCounted() throws {
    let weights = try weights(
      """
      schema: cordon.weights/1
      calls:
        read: 91000
        202: 1200     # futex
        0x3: 7
      code:
        0x1000-0x3000: 500
        '*.so': 300
      """
    ) { name throws(CodeNameError) in
      #expect(name.name == "*.so")
      return [AddressRange].twoRanges
    }
    #expect(weights.numbers == [0: 91000, 202: 1200, 3: 7])
    // A module's calls are spread over its code.
    let ranges = [AddressRange].twoRanges
    #expect(
      try weights.code == [AddressRange(start: 0x1000, end: 0x3000): 500, ranges[0]: 100, ranges[1]: 200])
  }

  @Test(arguments: [
    ("calls: {raed: 4}", "w.yaml:1:9: x86_64 has no system call 'raed'"),
    ("calls: {read: -4}", "w.yaml:1:15: a count is a whole number from 0 to 2^53, not '-4'"),
    ("calls: {read: many}", "w.yaml:1:15: a count is"), ("calls: {read: 9007199254740993}", "w.yaml:1:15: a count is"),
    ("calls: {read: 1, 0: 2}", "w.yaml:1:18: this call is counted already"),
    ("calls: [read]", "w.yaml:1:8: expected calls and their counts, found a list"),
    ("code: {libc.so: 1}", "w.yaml:1:8: 'libc.so' is a module, and no process is given"),
    ("code: {0x2000-0x1000: 1}", "w.yaml:1:8: the range 0x2000-0x1000 ends before it starts"),
    ("cals: {read: 1}", "w.yaml:1:1: unknown key 'cals'"),
    ("schema: cordon.weights/1", "w.yaml:1:1: nothing is counted"),
    ("schema: cordon.profile/1\ncalls: {read: 1}", "w.yaml:1:9: expected the schema of this version"),
  ])
  func whatIsWrongIsShownWhereItStands(yaml: String, message: String) {
    let text = error(yaml)
    #expect(text.hasPrefix(message), "\(text)")
    #expect(text.contains("\n") && text.contains("^"), "the line and a caret")
  }
}

extension [AddressRange] {
  fileprivate static var twoRanges: [AddressRange] {
    [(0x7000 as UInt64, 0x8000 as UInt64), (0x9000, 0xb000)].compactMap { try? AddressRange(start: $0.0, end: $0.1) }
  }
}
