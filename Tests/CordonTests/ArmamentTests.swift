import FilterCompiler
import Testing

@testable import Cordon

/// What is kept of filters that were attached before one was refused.
@Suite struct ArmamentTests {
  private let gate = AddressRange(known: 0x7f00_0010_0000, 0x7f00_0020_0000)
  private let view = GivenAddressSpace()

  /// A change over from dispatch to filters that failed: dispatch goes on, and the next one attaches what is missing.
  @Test func `filters that a change of the mechanism has left behind`() throws {
    let (low, high) = (IntervalSet([.init(0x2000, 0x3000)]), IntervalSet([.init(0x7000_0000_2000, 0x7000_0000_3000)]))
    var armament = Armament(
      means: .dispatch(.nothing, .sudInclusive, Planner(gate: gate)), scope: .allThreads, thread: 1,
      noNewPrivileges: .whenNeeded, isAutomatic: true, globalTraps: GlobalTraps([]), gate: gate)
    let both = low.union(high)
    let first = try Planner(gate: gate).propose(low, force: Widening.none, wanted: { both }, view: view)
    armament.note(first[0])
    #expect(armament.mechanism == .sudInclusive)
    #expect(armament.filters == 1)
    #expect(low.subtracting(armament.armed).isEmpty)
    #expect(armament.price > CallPrice.dispatch(.sudInclusive))
    let arming = try Arming(armament, missing: high, wanted: { both }, view: view)
    #expect(arming.proposals.count == 1 && arming.proposals[0].trapped.intersection(low).isEmpty)
    armament.note(arming)
    #expect(armament.mechanism == .seccomp)
    #expect(armament.filters == 2)
    #expect(both.subtracting(armament.armed).isEmpty)
  }
}
