import FilterCompiler
import Testing

@testable import Cordon

/// Instruction pointers (after the instruction) that syscall user dispatch would hand to the handler under a plan,
/// spelled as the kernel's own condition.
private func dispatches(_ plan: DispatchPlan, _ pointer: UInt64) -> Bool {
  let inRange = pointer &- plan.offset < plan.length
  return plan.operation == 1 ? !inRange : inRange
}

private func range(_ start: UInt64, _ end: UInt64) throws -> AddressRange { try AddressRange(start: start, end: end) }

@Suite struct DispatchPlanTests {
  let gate: AddressRange
  var map = RegionMap(default: .allow)

  init() throws {
    gate = try range(0x7f00_0000_0000, 0x7f00_0010_0000)
    try map.insert(range(0x1000, 0x2000), Session.trapDisposition)
    try map.insert(range(0x8000, 0x9000), Session.trapDisposition)
  }

  @Test func `exclusive allows the gate and all native code up to the next region's first instruction`() throws {
    let plan = try DispatchPlan(mechanism: .sudExclusive, map: map, gate: gate)
    #expect(dispatches(plan, 0x9000))  // the last instruction of the upper region ends here
    #expect(!dispatches(plan, 0x9001))
    #expect(!dispatches(plan, gate.start + 2))
    #expect(!dispatches(plan, gate.end))
    #expect(!dispatches(plan, 0x7fff_ffff_f000))
    // Below the regions everything traps and is sorted out by the handler.
    #expect(dispatches(plan, 0x500))
  }

  @Test func `exclusive stops before a region above the gate`() throws {
    var map = map
    try map.insert(range(0x7f80_0000_0000, 0x7f80_0000_1000), Session.trapDisposition)
    let plan = try DispatchPlan(mechanism: .sudExclusive, map: map, gate: gate)
    #expect(!dispatches(plan, 0x7f80_0000_0001))  // an instruction that straddles the region's start
    #expect(dispatches(plan, 0x7f80_0000_0002))  // the region's first
  }

  @Test func `inclusive covers the hull of the regions to the byte`() throws {
    let plan = try DispatchPlan(mechanism: .sudInclusive, map: map, gate: gate)
    #expect(!dispatches(plan, 0x1001))
    #expect(dispatches(plan, 0x1002))
    #expect(dispatches(plan, 0x5000))  // between the regions: the handler passes it through
    #expect(dispatches(plan, 0x9000))
    #expect(!dispatches(plan, 0x9001))
  }

  @Test func `inclusive refuses regions on both sides of the gate`() throws {
    var map = map
    try map.insert(range(0x7f80_0000_0000, 0x7f80_0000_1000), Session.trapDisposition)
    #expect(throws: SessionError.self) { try DispatchPlan(mechanism: .sudInclusive, map: map, gate: gate) }
  }

  @Test func `inclusive refuses a default that traps`() throws {
    var map = RegionMap(default: Session.trapDisposition)
    try map.insert(gate, .allow)
    #expect(throws: SessionError.self) { try DispatchPlan(mechanism: .sudInclusive, map: map, gate: gate) }
  }

  @Test func `the selector's range is the gate alone`() throws {
    let plan = try DispatchPlan(mechanism: .sudSelector, map: map, gate: gate)
    #expect(plan.usesSelector)
    #expect(dispatches(plan, gate.start + 1))
    #expect(!dispatches(plan, gate.start + 2))
    #expect(!dispatches(plan, gate.end))
    #expect(dispatches(plan, gate.end + 1))
  }
}
