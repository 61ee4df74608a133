package import FilterCompiler
import Glibc
import SystemPackage
package import TrapEngine

/// The region map as the SIGSYS handler reads it: sorted steps over instruction pointer space, so a lookup is a
/// bisection without locks. It is derived from the same pieces as the filter, so both judge alike.
package struct StepTable: Sendable {
  package private(set) var steps: [CordonStep] = []

  package init(map: RegionMap, regions: [Region]) {
    let length = map.architecture.instructionLength
    // The address where an instruction starts decides which of several joined regions it counts to.
    let cuts = Set(regions.flatMap { [$0.range.start + length, $0.range.end + length] }).sorted()
    for piece in map.pieces() {
      let traps = piece.disposition == Session.trapDisposition
      var first = piece.first
      var inside = cuts[cuts.partitioningIndex { $0 > piece.first }...].prefix { $0 <= piece.last }
      while true {
        append(first: first, traps: traps, region: Self.region(of: first, in: regions, length: length))
        guard let next = inside.popFirst() else { break }
        first = next
      }
    }
  }

  private mutating func append(first: UInt64, traps: Bool, region: Int?) {
    let step = CordonStep(
      first: first, region: region.map(UInt32.init) ?? UInt32.max, traps: traps ? 1 : 0)
    if let last = steps.last, last.region == step.region, last.traps == step.traps { return }
    steps.append(step)
  }

  /// The region whose code holds the first byte of the instruction that reports `pointer`; of several that overlap, the
  /// one declared last.
  private static func region(of pointer: UInt64, in regions: [Region], length: UInt64) -> Int? {
    guard pointer >= length else { return nil }
    return regions.last { $0.range.contains(pointer - length) }?.index
  }

  /// Copies the steps to memory that is mapped for them alone, read-only, and never freed.
  package func publish() throws(SessionError) -> UnsafeBufferPointer<CordonStep> {
    let size = steps.count * MemoryLayout<CordonStep>.stride
    guard
      let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
    else { throw .memory(Errno(rawValue: errno)) }
    steps.withUnsafeBytes { bytes in
      if let first = bytes.baseAddress { memcpy(base, first, bytes.count) }
    }
    guard mprotect(base, size, PROT_READ) == 0 else { throw .memory(Errno(rawValue: errno)) }
    return UnsafeBufferPointer(start: base.assumingMemoryBound(to: CordonStep.self), count: steps.count)
  }
}
