package import Cordon
import FilterCompiler
import SystemPackage

/// `seccomp-number`: a filter that looks at the call's number and nothing else, so that the kernel's bitmap of numbers that
/// are always allowed (Linux 5.11) answers without running it. What seccomp costs at the least; it cannot tell code apart.
package struct NumberFilterMechanism: MeasuredMechanism {
  package let name = "seccomp-number"
  package let summary = "a filter on the number alone, answered by a bitmap: the floor"

  package init() {}

  package var answers: Set<GuestAnswer> { [] }

  package func enter(_ code: [UInt8], answer: GuestAnswer, scope: Session.Scope) throws(MeasurementError) -> Guest {
    // reboot(2), which nothing here calls, would fail; every other number is allowed.
    let refused: UInt32 = 169
    let instructions: [Operation] = [
      .loadData(.number), .branch(.equal, .constant(refused), jt: 0, jf: 1), .answer(Action(.errno, data: 1)),
      .answer(Action(.allow)),
    ]
    let program: Program
    do { program = try Program(instructions.map(\.instruction)) } catch { throw .failed("the number filter: \(error)") }
    let result = FilterLoading.load(program, flags: 1 << 2)
    guard result == 0 else { throw .unavailable("the filter is refused: \(Errno(rawValue: Int32(-result)))") }
    return Guest(mapping: try CodeMapping(code))
  }
}
