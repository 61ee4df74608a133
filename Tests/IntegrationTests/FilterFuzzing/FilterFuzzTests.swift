import FilterCompiler
import Foundation
import SyscallPolicy
import Testing

/// Random maps with random stages before them, compiled, on random calls around all that they compare with. Two judges
/// that know nothing of the compiler, the kernel's seccomp and its BPF machine, and the simulator decide each call as the
/// sentence that defines the filter does. `make fuzz` asks them about a million calls, `make test` about 20,000.
@Suite struct FilterFuzzTests {
  private static func number(_ variable: String) -> UInt64? {
    ProcessInfo.processInfo.environment[variable].flatMap(UInt64.init)
  }

  private static let cases = number("CORDON_FUZZ_CASES").map(Int.init) ?? 20_000
  private static let seed = number("CORDON_FUZZ_SEED") ?? 0xf0221

  @Test func `filters decide as they say, before the kernel twice`() throws {
    var judged = 0
    var next = Self.seed
    while judged < Self.cases {
      let fuzzed = FuzzedCase(seed: next)
      do {
        let count = try fuzzed.judged()
        // Most calls can be made; those that cannot come from where no code can be.
        judged += max(count, 1)
      } catch let difference as FuzzedCase.Difference {
        let report = try FuzzReport(fuzzed, difference)
        Issue.record("\(report)")
        return
      }
      next &+= 1
    }
  }

  /// That the cases of `make test` are about policies too, for every architecture that the machine has calls of.
  @Test func `cases have policies by number and argument`() {
    var tables: [CallTable: Int] = [:]
    var (conditions, judgedByRules) = (0, 0)
    for seed in 0..<UInt64(Self.cases / 64) where seed < 400 {
      let fuzzed = FuzzedCase(seed: Self.seed &+ seed)
      for policy in fuzzed.filter.policies {
        for (table, rules) in policy.tables {
          tables[table, default: 0] += rules.rules.count
          conditions += rules.rules.count { !$0.conditions.isEmpty }
        }
        judgedByRules += fuzzed.calls.count { policy.rule(deciding: $0) != nil }
      }
    }
    #expect(Set(tables.keys) == [.x86_64, .x32, .i386] && tables.values.allSatisfy { $0 > 10 }, "\(tables)")
    #expect(conditions > 30 && judgedByRules > 100, "\(conditions) conditions, \(judgedByRules) calls")
  }

  /// Only the machine itself can make calls; the BPF machine judges for any.
  @Test(arguments: [Architecture.aarch64, .riscv64])
  func `filters for other machines decide as they say`(architecture: Architecture) throws {
    for number in 0..<UInt64(Self.cases / 500) {
      let fuzzed = FuzzedCase(seed: Self.seed &+ number, architecture)
      do {
        _ = try fuzzed.judged()
      } catch let difference as FuzzedCase.Difference {
        let report = try FuzzReport(fuzzed, difference)
        Issue.record("\(report)")
        return
      }
    }
  }

  /// The mistakes that people make by hand are found within a few cases, and reduced to what it takes.
  @Test(arguments: FuzzedCase.Judge.allCases)
  func `mistakes are found and reduced`(judge: FuzzedCase.Judge) throws {
    /// Takes the address that the kernel reports for that of the instruction.
    func naively(_ filter: FuzzedFilter) throws -> Program {
      var map = RegionMap(default: filter.outside)
      for (place, disposition) in filter.code where place.start >= 2 {
        try map.insert(AddressRange(start: place.start - 2, end: max(place.end - 2, place.start)), disposition)
      }
      return try map.compile()
    }
    var found: [FuzzedFilter] = []
    for seed in 0..<UInt64(30) {
      let fuzzed = FuzzedCase(seed: seed, withPolicies: false, compile: naively)
      let program = try naively(fuzzed.filter)
      let verdicts = try judge.verdicts(of: program, on: fuzzed.calls)
      for (call, verdict) in zip(fuzzed.calls, verdicts) {
        guard let verdict, let expected = fuzzed.filter.verdict(on: call), verdict != expected else { continue }
        let difference = FuzzedCase.Difference(judge: judge, call: call, verdict: verdict, expected: expected)
        found.append(fuzzed.reduced(difference))
        break
      }
    }
    #expect(found.count > 15, "\(found.count) of 30 filters with a mistake were found wrong")
    #expect(found.allSatisfy { $0.code.count + $0.empty.count <= 2 })
  }

  /// Sets and dictionaries have another order in every process, which must not be seen.
  @Test func `the same number gives the same calls`() async {
    let calls = (0..<20).map { FuzzedCase(seed: $0).calls.map(\.encoded) }
    let sum = calls.joined().joined().reduce(UInt64(14_695_981_039_346_656_037)) {
      ($0 ^ UInt64($1)) &* 1_099_511_628_211
    }
    await #expect(processExitsWith: .exitCode(CInt(sum & 0x7f))) {
      let calls = (0..<20).map { FuzzedCase(seed: $0).calls.map(\.encoded) }
      let sum = calls.joined().joined().reduce(UInt64(14_695_981_039_346_656_037)) {
        ($0 ^ UInt64($1)) &* 1_099_511_628_211
      }
      exit(CInt(sum & 0x7f))
    }
  }

  /// What a report says is the filter that was judged.
  @Test func `profiles say what is judged`() throws {
    for seed in 0..<UInt64(200) {
      let filter = FuzzedCase(seed: seed, Architecture.allCases[Int(seed % 3)]).filter
      let profile = try Profile(yaml: filter.profile, file: "fuzzed")
      #expect(try profile.regionMap() == filter.map())
      #expect(profile.options == filter.options, "\(filter.profile)")
    }
  }
}
