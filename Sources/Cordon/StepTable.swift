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
    let index = RegionIndex(regions)
    // Where an instruction lies in several joined regions, the one that it starts in counts; where it straddles the end
    // of them all, none.
    let starts = regions.flatMap { [$0.range.start + length, $0.range.end + length] }
    let cuts = (starts + map.regions.map { $0.range.end + 1 }).sorted()
    let joined = map.regions
    var (nextCut, nextJoined) = (0, 0)
    func region(reporting pointer: UInt64) -> Int? {
      while nextJoined < joined.count, joined[nextJoined].range.end < pointer { nextJoined += 1 }
      guard nextJoined < joined.count, joined[nextJoined].range.start + length <= pointer else { return nil }
      return index.region(at: pointer - length)
    }
    for piece in map.pieces() {
      let traps = piece.disposition == Session.trapDisposition
      append(first: piece.first, traps: traps, region: region(reporting: piece.first))
      while nextCut < cuts.count, cuts[nextCut] <= piece.last {
        if cuts[nextCut] > piece.first {
          append(first: cuts[nextCut], traps: traps, region: region(reporting: cuts[nextCut]))
        }
        nextCut += 1
      }
    }
  }

  private mutating func append(first: UInt64, traps: Bool, region: Int?) {
    let step = CordonStep(
      first: first, region: region.map(UInt32.init) ?? UInt32.max, traps: traps ? 1 : 0)
    if let last = steps.last, last.region == step.region, last.traps == step.traps { return }
    steps.append(step)
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

/// Finds the region that holds an address; of several that overlap, the one that starts last.
private struct RegionIndex {
  /// Sorted by start, each with the highest end of those before and including it.
  private var entries: [(region: Region, highestEnd: UInt64)] = []

  init(_ regions: [Region]) {
    var highestEnd: UInt64 = 0
    for region in regions.sorted(by: { $0.range.start < $1.range.start }) {
      highestEnd = max(highestEnd, region.range.end)
      entries.append((region, highestEnd))
    }
  }

  func region(at address: UInt64) -> Int? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].region.range.start <= address { low = middle + 1 } else { high = middle }
    }
    for entry in entries[..<low].reversed() {
      if entry.highestEnd <= address { return nil }
      if entry.region.range.contains(address) { return entry.region.index }
    }
    return nil
  }
}
