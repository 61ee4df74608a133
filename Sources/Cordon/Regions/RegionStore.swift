package import FilterCompiler

/// A session's regions: what each is, and where they lie. Regions of one disposition may overlap; others may not.
package struct RegionStore: Sendable {
  /// A region with what becomes of its calls.
  struct Entry {
    var region: Region
    var disposition: Region.Disposition

    var key: RegionOrder.Key {
      RegionOrder.Key(
        start: region.range.start, end: region.range.end, serial: region.serial, index: region.index)
    }
  }

  /// By index.
  private var entries: [Entry?] = []
  private var free: [Int] = []
  private var nextSerial: UInt64 = 1
  private var order = RegionOrder()
  /// What the SIGSYS handler's table calls the policies that it has.
  var policies: [Policy: UInt32] = [:]
  /// For each of them, by that name, the numbers that it permits whatever the arguments are.
  var permitted: [UInt32: Set<UInt32>] = [:]

  /// Code that is always allowed.
  private let gate: AddressRange?

  package init(gate: AddressRange? = nil) { self.gate = gate }

  /// How many regions there are.
  package var count: Int { order.count }
  /// How many indices there have ever been at once.
  var indices: Int { entries.count }

  /// The regions, by index.
  package var regions: [Region] { entries.compactMap { $0?.region } }
  var all: [Entry] { entries.compactMap { $0 } }

  /// The entry of a region; nil where the session has it no more.
  func entry(of region: Region) -> Entry? {
    guard entries.indices.contains(region.index), let entry = entries[region.index], entry.region == region
    else { return nil }
    return entry
  }

  subscript(index: Int) -> Entry? { entries[index] }

  /// What the SIGSYS handler's table calls a disposition; for a policy that it does not have, what it would call none.
  func code(_ disposition: Region.Disposition) -> UInt32 {
    if let code = disposition.engineDisposition { return code }
    guard case .policy(let policy) = disposition, let code = policies[policy] else { return .max }
    return code
  }

  /// The regions with a byte of a range, ascending.
  func overlapping(_ start: UInt64, _ end: UInt64) -> [RegionOrder.Key] { order.overlapping(start, end) }

  /// Declares a region.
  /// - Throws: ``SessionError/region(_:)``.
  @discardableResult
  package mutating func insert(
    _ range: AddressRange, _ disposition: Region.Disposition
  ) throws(SessionError) -> Region {
    let architecture = Architecture.x86_64
    guard range.length >= architecture.instructionLength else { throw .region(.tooShort(range, architecture)) }
    guard range.end <= architecture.userSpaceEnd else { throw .region(.aboveUserSpace(range, architecture)) }
    try check(range, disposition, besides: nil)
    let region = Region(index: free.last ?? entries.count, range: range, serial: nextSerial)
    nextSerial += 1
    put(Entry(region: region, disposition: disposition))
    return region
  }

  /// Puts back what was taken out, at its index; or puts in what is new.
  mutating func put(_ entry: Entry) {
    let index = entry.region.index
    if index == entries.count { entries.append(entry) } else { entries[index] = entry }
    if free.last == index {
      free.removeLast()
    } else if let place = free.lastIndex(of: index) {
      free.remove(at: place)
    }
    order.insert(entry.key)
  }

  /// Takes a region out. Its index stays taken until ``release(_:)``.
  /// - Throws: ``SessionError/noSuchRegion(_:)``.
  mutating func takeOut(_ region: Region) throws(SessionError) -> Entry {
    guard let entry = entry(of: region) else { throw .noSuchRegion(region.range) }
    entries[region.index] = nil
    order.remove(entry.key)
    return entry
  }

  /// Lets an index be used again.
  mutating func release(_ index: Int) { free.append(index) }

  /// Gives a region another disposition.
  /// - Throws: ``SessionError/noSuchRegion(_:)``, ``SessionError/region(_:)`` where it overlaps one that has another.
  mutating func set(_ disposition: Region.Disposition, of region: Region) throws(SessionError) -> Entry {
    guard let entry = entry(of: region) else { throw .noSuchRegion(region.range) }
    try check(region.range, disposition, besides: region.index)
    entries[region.index]?.disposition = disposition
    return entry
  }

  /// Undoes ``set(_:of:)``.
  mutating func reset(_ entry: Entry) { entries[entry.region.index] = entry }

  private func check(
    _ range: AddressRange, _ disposition: Region.Disposition, besides index: Int?
  ) throws(SessionError) {
    if let gate, disposition != .allow, gate.overlaps(range) {
      throw .region(.contradiction(range, disposition.filterDisposition, with: gate, .allow))
    }
    for key in order.overlapping(range.start, range.end) where key.index != index {
      guard let other = entries[key.index], other.disposition != disposition else { continue }
      throw .region(
        .contradiction(
          range, disposition.filterDisposition, with: other.region.range, other.disposition.filterDisposition))
    }
  }
}
