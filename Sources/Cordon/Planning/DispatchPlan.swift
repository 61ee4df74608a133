package import FilterCompiler
package import TrapEngine

/// The one range that syscall user dispatch has, chosen for a region map. The handler decides for what the range alone
/// cannot: calls that trap although no region asks for it are passed through.
package struct DispatchPlan: Sendable, Hashable {
  /// The arguments of prctl(PR_SET_SYSCALL_USER_DISPATCH); the kernel compares the address after the instruction.
  package let operation: UInt64
  package let offset: UInt64
  package let length: UInt64
  package let usesSelector: Bool

  private static let exclusive: UInt64 = 1
  private static let inclusive: UInt64 = 2
  /// The kernel refuses a range whose end wraps to 0. Nothing can be issued at the very last address.
  private static let highest = UInt64.max - 1

  /// - Throws: ``SessionError/inexpressible(_:reason:)`` where the regions lie around the gate.
  package init(mechanism: Mechanism, map: RegionMap, gate: AddressRange) throws(SessionError) {
    let trapping = map.pieces().filter { $0.disposition == Session.trapDisposition }
    try self.init(
      mechanism: mechanism, trapping: IntervalSet(trapping.map { IntervalSet.Interval($0.first, $0.last) }), gate: gate)
  }

  /// - Parameter trapping: the instruction pointers whose calls must come to the handler.
  /// - Throws: as ``init(mechanism:map:gate:)``.
  package init(mechanism: Mechanism, trapping: IntervalSet, gate: AddressRange) throws(SessionError) {
    let instruction = Architecture.x86_64.instructionLength
    let gateFirst = gate.start + instruction
    let trapping = trapping.intervals
    switch mechanism {
    case .sudInclusive:
      guard let first = trapping.first?.first, let last = trapping.last?.last else {
        throw .inexpressible(mechanism, reason: "nothing traps")
      }
      guard gate.end < first || gateFirst > last else {
        throw .inexpressible(
          mechanism, reason: "it has one range, and the trapped code lies on both sides of Cordon's own")
      }
      self.init(operation: Self.inclusive, first: first, last: last, usesSelector: false)
    case .sudSelector:
      self.init(operation: Self.exclusive, first: gateFirst, last: gate.end, usesSelector: true)
    case .sudExclusive, .seccomp, .automatic:
      let below = trapping.last { $0.last < gateFirst }
      let above = trapping.first { $0.first > gate.end }
      self.init(
        operation: Self.exclusive, first: below.map { $0.last + 1 } ?? 0,
        last: above.map { $0.first - 1 } ?? Self.highest, usesSelector: false)
    }
  }

  /// Dispatches nothing.
  init() {
    operation = 0
    offset = 0
    length = 0
    usesSelector = false
  }

  private init(operation: UInt64, first: UInt64, last: UInt64, usesSelector: Bool) {
    self.operation = operation
    offset = first
    length = min(last, Self.highest) - first + 1
    self.usesSelector = usesSelector
  }

  /// Whether calls from the range are dispatched, and not all others.
  package var isInclusive: Bool { operation == Self.inclusive }

  package var engineDispatch: CordonDispatch {
    CordonDispatch(operation: operation, offset: offset, length: length)
  }
}
