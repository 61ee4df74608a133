/// The whole address space as regions of code, each with what becomes of the system calls issued in it.
///
/// An instruction that lies **wholly** inside a region gets the region's disposition, and every other one the
/// default; so does an instruction that straddles a region's bound. Regions of equal disposition that touch or
/// overlap are one region. Between two touching regions that differ, a straddler gets the default.
public struct RegionMap: Hashable, Sendable {
  /// A range of code and what becomes of the calls issued in it.
  public struct Region: Hashable, Sendable {
    /// Where the instructions lie.
    public let range: AddressRange
    /// What becomes of their calls.
    public let disposition: Disposition
  }

  /// The machine whose instructions lie in the regions.
  public let architecture: Architecture
  /// What becomes of a call from outside every region.
  public let defaultDisposition: Disposition
  /// The regions in ascending order, disjoint, and joined where equal ones touch.
  public internal(set) var regions: [Region] = []
  /// The ranges without any executable code, in ascending order, disjoint, and joined where they touch.
  public private(set) var dontCare: [AddressRange] = []

  /// A map without regions: `defaultDisposition` for all code.
  public init(architecture: Architecture = .x86_64, default defaultDisposition: Disposition) {
    self.architecture = architecture
    self.defaultDisposition = defaultDisposition
  }

  /// Gives the code in `range` the disposition `disposition`. The map is unchanged where this throws.
  ///
  /// - Throws: ``RegionError/tooShort(_:_:)`` where no instruction fits into the range,
  ///   ``RegionError/aboveUserSpace(_:_:)``, and ``RegionError/contradiction(_:_:with:_:)`` where it overlaps a
  ///   region of another disposition or a don't-care range.
  /// - Complexity: linear in the number of regions.
  public mutating func insert(_ range: AddressRange, _ disposition: Disposition) throws(RegionError) {
    guard range.length >= architecture.instructionLength else { throw .tooShort(range, architecture) }
    guard range.end <= architecture.userSpaceEnd else { throw .aboveUserSpace(range, architecture) }
    let gaps = Self.touching(range, in: dontCare, \.self)
    if let gap = dontCare[gaps].first(where: range.overlaps) {
      throw .contradiction(range, disposition, with: gap, nil)
    }
    let near = Self.touching(range, in: regions, \.range)
    var joined = range
    var kept: [Region] = []
    for region in regions[near] {
      if region.disposition == disposition {
        joined = Self.hull(joined, region.range)
      } else if region.range.overlaps(range) {
        throw .contradiction(range, disposition, with: region.range, region.disposition)
      } else {
        kept.append(region)
      }
    }
    let position = kept.firstIndex { $0.range.start >= joined.end } ?? kept.endIndex
    kept.insert(Region(range: joined, disposition: disposition), at: position)
    regions.replaceSubrange(near, with: kept)
  }

  /// Says that no executable code lies in `range`, so that the filter may decide there as is cheapest.
  ///
  /// An instruction with a byte in the range cannot exist, so those that would straddle its bounds are not cared
  /// for either. The map is unchanged where this throws.
  ///
  /// - Throws: ``RegionError/aboveUserSpace(_:_:)``, and ``RegionError/contradiction(_:_:with:_:)`` where it
  ///   overlaps a region.
  public mutating func insertDontCare(_ range: AddressRange) throws(RegionError) {
    guard range.end <= architecture.userSpaceEnd else { throw .aboveUserSpace(range, architecture) }
    let near = Self.touching(range, in: regions, \.range)
    if let region = regions[near].first(where: { $0.range.overlaps(range) }) {
      throw .contradiction(range, nil, with: region.range, region.disposition)
    }
    let gaps = Self.touching(range, in: dontCare, \.self)
    dontCare.replaceSubrange(gaps, with: [dontCare[gaps].reduce(range, Self.hull)])
  }

  /// The elements of an ascending, disjoint list whose ranges touch or overlap `range`.
  private static func touching<Element>(
    _ range: AddressRange, in list: [Element], _ rangeOf: (Element) -> AddressRange
  ) -> Range<Int> {
    let lower = list.partitioningIndex { rangeOf($0).end >= range.start }
    let upper = list.partitioningIndex { rangeOf($0).start > range.end }
    return lower..<upper
  }

  private static func hull(_ a: AddressRange, _ b: AddressRange) -> AddressRange {
    AddressRange(nonEmpty: min(a.start, b.start), max(a.end, b.end))
  }
}

extension Array {
  /// The first index from which on `predicate` holds, which must not hold again after it failed; by bisection.
  func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
    var lower = startIndex
    var upper = endIndex
    while lower < upper {
      let middle = lower + (upper - lower) / 2
      if predicate(self[middle]) { upper = middle } else { lower = middle + 1 }
    }
    return lower
  }
}
