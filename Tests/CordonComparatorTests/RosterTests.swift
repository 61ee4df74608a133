import Cordon
import Testing

@testable import CordonComparator

@Suite struct RosterTests {
  @Test func `every mechanism that a session has is measured, every kind of supervisor, and the baseline`() {
    let names = Roster.mechanisms.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Set(names).isSuperset(of: Mechanism.allCases.map(\.rawValue)))
    #expect(Set(names).isSuperset(of: SupervisionKind.allCases.map(\.rawValue)))
    #expect(Roster.mechanisms.contains { $0.name == Roster.baseline })
    #expect(Roster.mechanisms.contains { $0.name == Roster.alternative })
  }

  @Test func `what cannot tell code apart is measured with untrapped calls only`() {
    let rows = Roster.combinations(mechanisms: ["seccomp-number"])
    #expect(rows.map(\.workload) == ["sysinfo", "getppid", "read", "spawn"])
    #expect(Roster.combinations(mechanisms: ["seccomp-linear"]).allSatisfy { $0.workload.hasPrefix("regions-") })
  }

  @Test func `a notification cannot redirect`() {
    let rows = Roster.combinations(mechanisms: ["user-notif"], workloads: ["trap-value", "trap-redirect"])
    #expect(rows.map(\.workload) == ["trap-value"])
  }

  @Test func `each row is there once, and activation where a session takes many regions`() {
    let all = Roster.combinations()
    #expect(Set(all).count == all.count)
    let activations = all.filter { $0.workload == "activation" }
    #expect(activations == [Combination(mechanism: "seccomp", workload: "activation", parameter: ["regions": 1_000])])
  }

  @Test func `a choice of names is a choice of rows, in the order of the roster`() {
    let chosen = Roster.combinations(mechanisms: ["sud-selector", "none"], workloads: ["getppid"])
    #expect(chosen.map(\.mechanism) == ["none", "sud-selector"])
    #expect(Roster.combinations(mechanisms: ["none"], workloads: ["activation"]).isEmpty)
  }

  @Test func `the scattered regions do not touch and are where no program is loaded`() throws {
    let ranges = try ScatteredRegions.ranges(1_000, meanDistance: 1 << 32)
    #expect(ranges.count == 1_000)
    #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.end < $1.start })
    #expect(ranges.allSatisfy { $0.start >= 0x4000_0000_0000 && $0.end <= 0x4800_0000_0000 })
    #expect(try ScatteredRegions.ranges(1_000, meanDistance: 1 << 32) == ranges)
  }
}
