package import Cordon
package import FilterCompiler
import SystemPackage

/// `seccomp-linear`: one filter that asks for region after region, as people write it by hand. What a tree saves.
package struct LinearFilterMechanism: MeasuredMechanism {
  package let name = "seccomp-linear"
  package let summary = "a filter that asks for one region after the other, as written by hand"

  package init() {}

  package var answers: Set<GuestAnswer> { [] }
  package var takesManyRegions: Bool { true }

  package func enter(_ code: [UInt8], answer: GuestAnswer, scope: Session.Scope) throws(MeasurementError) -> Guest {
    throw .unavailable("it is measured with regions only")
  }

  package func trap(_ regions: [AddressRange]) throws(MeasurementError) -> Session? {
    let instructions = regions.flatMap(Self.question) + [Operation.answer(Action(.allow))]
    guard instructions.count <= Program.maximumLength else {
      throw .unavailable(
        "asking for \(Figure.grouped(regions.count)) regions one after the other takes "
          + "\(Figure.grouped(instructions.count)) instructions, and a filter has at most 4,096")
    }
    let program: Program
    do { program = try Program(instructions.map(\.instruction)) } catch { throw .failed("the linear filter: \(error)") }
    let result = FilterLoading.load(program, flags: 1 << 2)
    guard result == 0 else { throw .unavailable("the filter is refused: \(Errno(rawValue: Int32(-result)))") }
    return nil
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
