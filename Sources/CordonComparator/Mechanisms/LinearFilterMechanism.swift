package import Cordon
package import FilterCompiler
import SystemPackage

/// `seccomp-linear`: one filter that asks for region after region, and one more filter for each change, as people write it
/// by hand. What a tree and a planner save.
package struct LinearFilterMechanism: MeasuredMechanism {
  package let name = "seccomp-linear"
  package let summary = "as by hand: region after region, and one more filter a change"

  package init() {}

  package var answers: Set<GuestAnswer> { [] }
  package var takesManyRegions: Bool { true }
  package var takesGuests: Bool { false }
  package var takesChanges: Bool { true }

  package func liveRegions() -> any LiveRegions { FilterPile() }

  package func enter(_ code: [UInt8], answer: GuestAnswer, scope: Session.Scope) throws(MeasurementError) -> Guest {
    throw .unavailable("it is measured with regions only")
  }

  package func trap(_ regions: [AddressRange]) throws(MeasurementError) -> Session? {
    let instructions = LinearFilter.instructions(regions)
    guard instructions.count <= Program.maximumLength else {
      throw .unavailable(
        "asking for \(Figure.grouped(regions.count)) regions one after the other takes "
          + "\(Figure.grouped(instructions.count)) instructions, and a filter has at most 4,096")
    }
    try LinearFilter.load(instructions)
    return nil
  }
}

/// A filter for each change, on top of those there are. None can be taken off.
private struct FilterPile: LiveRegions {
  /// The kernel takes some 2,000 of such filters: 32,768 instructions in all, as it counts them.
  var limit: Int? { 1_000 }

  func trap(_ range: AddressRange) throws(MeasurementError) -> Region? {
    try LinearFilter.load(LinearFilter.instructions([range]))
    return nil
  }

  func release(_ region: Region?) {}
}

private enum LinearFilter {
  static func instructions(_ regions: [AddressRange]) -> [Operation] {
    regions.flatMap(question) + [Operation.answer(Action(.allow))]
  }

  static func load(_ instructions: [Operation]) throws(MeasurementError) {
    let program: Program
    do { program = try Program(instructions.map(\.instruction)) } catch { throw .failed("the linear filter: \(error)") }
    let result = FilterLoading.load(program, flags: 1 << 2)
    guard result == 0 else { throw .unavailable("the filter is refused: \(Errno(rawValue: Int32(-result)))") }
  }

  /// Six instructions: whether the pointer lies in the region, which is within one stretch of 4 GiB; if so, the trap.
  private static func question(_ region: AddressRange) -> [Operation] {
    let (first, last) = (region.start + 2, region.end)
    return [
      .loadData(.instructionPointerHigh),
      .branch(.equal, .constant(UInt32(truncatingIfNeeded: first >> 32)), jt: 0, jf: 4),
      .loadData(.instructionPointerLow),
      .branch(.greaterOrEqual, .constant(UInt32(truncatingIfNeeded: first)), jt: 0, jf: 2),
      .branch(.greater, .constant(UInt32(truncatingIfNeeded: last)), jt: 1, jf: 0),
      .answer(Action(.trap)),
    ]
  }
}
