/// By how much a map is too large for one filter, and what would make it fit.
public struct FilterExcess: Hashable, Sendable {
  /// Two regions of one disposition with nothing between them but code that no region has.
  public struct Neighbours: Hashable, Sendable {
    /// The region with the lower addresses.
    public let lower: AddressRange
    /// The next one.
    public let upper: AddressRange

    /// The bytes between the two.
    public var gap: UInt64 { upper.start - lower.end }
  }

  /// How many instructions the filter would have; more than ``Program/maximumLength``.
  public let instructions: Int
  /// How many regions the map has.
  public let regions: Int
  /// With so many of the regions, in ascending order, the filter is not too long.
  public let fit: Int
  /// The neighbours that suffice when they become one region each, together with what lies between them: those with the
  /// smallest gaps, in ascending order of these. Empty where merging does not help enough.
  public let merges: [Neighbours]

  /// How many instructions there are too many.
  public var excess: Int { instructions - Program.maximumLength }

  /// What to do where `merges` suffice, in one line; `words` says what a region is called.
  package static func remedy(merging merges: [Neighbours], naming words: (AddressRange) -> String) -> String {
    guard let widest = merges.last else {
      return "name fewer and larger ranges, and as ranges without code those between them that have none"
    }
    let shown = merges.prefix(2).map { "\(words($0.lower)) with \(words($0.upper))" }.joined(separator: ", ")
    let pairs = merges.count == 1 ? "the two neighbours" : "the \(merges.count) pairs of neighbours"
    return "merge \(pairs) that are nearest to each other, with at most \(hexadecimal(widest.gap)) bytes between them"
      + " (\(shown)\(merges.count > 2 ? ", …" : "")), or say between which regions there is no code"
  }
}

extension RegionMap {
  /// What is to be said of a filter of `instructions` instructions; `length` tells how many it takes for a map.
  func excess(of instructions: Int, length: (RegionMap) -> Int) -> FilterExcess {
    func fits(_ map: RegionMap) -> Bool { length(map) <= Program.maximumLength }
    let fit = Array(0..<regions.count).partitioningIndex { !fits(keepingFirst($0)) }
    return FilterExcess(
      instructions: instructions, regions: regions.count, fit: max(fit - 1, 0), merges: merges(untilItFits: fits))
  }

  /// The neighbours that have to become one region each until the filter of the map is one that `fits`; those with the
  /// smallest gaps, in ascending order of these. Empty where merging does not help enough.
  package func merges(_ options: CompileOptions, untilItFits fits: (Program) -> Bool) -> [FilterExcess.Neighbours] {
    merges { map in (try? map.compile(options)).map(fits) ?? false }
  }

  private func merges(untilItFits fits: (RegionMap) -> Bool) -> [FilterExcess.Neighbours] {
    let neighbours = mergeable().sorted { ($0.gap, $0.lower.start) < ($1.gap, $1.lower.start) }
    let merges = Array(0...neighbours.count).partitioningIndex { fits(merging(neighbours.prefix($0))) }
    return merges > neighbours.count ? [] : Array(neighbours.prefix(merges))
  }

  /// The map without any region.
  var withoutRegions: RegionMap { keepingFirst(0) }

  /// The map without the regions after the first `count`.
  private func keepingFirst(_ count: Int) -> RegionMap {
    var map = self
    map.regions.removeSubrange(count...)
    return map
  }

  /// The neighbours that can become one. Where nobody cares about what lies between them, they are one already.
  private func mergeable() -> [FilterExcess.Neighbours] {
    zip(regions, regions.dropFirst()).compactMap { lower, upper in
      guard lower.disposition == upper.disposition, lower.range.end < upper.range.start else { return nil }
      let between = AddressRange(nonEmpty: lower.range.end, upper.range.start)
      let next = dontCare.partitioningIndex { $0.end > between.start }
      if next < dontCare.count, dontCare[next].overlaps(between) { return nil }
      return FilterExcess.Neighbours(lower: lower.range, upper: upper.range)
    }
  }

  private func merging(_ neighbours: some Sequence<FilterExcess.Neighbours>) -> RegionMap {
    let joined = Set(neighbours.map(\.upper.start))
    var map = self
    map.regions = []
    for region in regions {
      if joined.contains(region.range.start), let last = map.regions.popLast() {
        map.regions.append(
          Region(range: AddressRange(nonEmpty: last.range.start, region.range.end), disposition: region.disposition))
      } else {
        map.regions.append(region)
      }
    }
    return map
  }
}
