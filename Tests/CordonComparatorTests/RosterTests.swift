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
    #expect(rows.map(\.workload) == ["sysinfo", "getppid", "read", "spawn", "harness"])
    let linear = Set(Roster.combinations(mechanisms: ["seccomp-linear"]).map(\.workload))
    #expect(linear.isSuperset(of: ["regions-1", "regions-2048", "changes-0", "changes-1000", "change"]))
    #expect(linear.allSatisfy { $0.hasPrefix("regions-") || $0.hasPrefix("change") })
  }

  @Test func `whole programs are run natively, by cordon run's mechanisms and under strace, in one round of several`() {
    let rows = Roster.combinations(workloads: ["run-find"])
    #expect(rows.map(\.mechanism) == ["none", "seccomp", "sud-exclusive", "strace"])
    #expect(rows.allSatisfy { $0.isProgram && Roster.period(of: $0) > 1 })
    #expect(Roster.combinations(mechanisms: ["strace"]).allSatisfy { $0.isProgram })
    #expect(Set(Roster.combinations().filter(\.isProgram).map(\.workload)).count == RealProgram.all.count)
    #expect(Roster.period(of: Combination(mechanism: "none", workload: "getppid")) == 1)
  }

  @Test func `what holds one thread only is not measured with several`() {
    let crowd = Roster.combinations(workloads: ["threads-4"]).map(\.mechanism)
    #expect(crowd == ["none", "seccomp", "sud-exclusive", "sud-selector", "sud-inclusive", "user-notif"])
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
