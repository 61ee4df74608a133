import Cordon

/// A session's regions as a plain list, and what that says of a call: what sessions are held against.
struct RegionModel {
  struct Entry {
    let range: AddressRange
    var disposition: Region.Disposition
    /// What the session calls it; nil until it has said so.
    var region: Region?
  }

  enum Operation {
    case declare(AddressRange, Region.Disposition)
    case set(Region, Region.Disposition)
    case remove(Region)
  }

  /// In the order of their declaration.
  private(set) var entries: [Entry] = []

  var regions: Set<Region> { Set(entries.compactMap(\.region)) }

  /// The entry that says what becomes of the call of an instruction at an address, nil where the session's default does: both
  /// of its bytes lie in regions of one disposition, and it is the one of its first byte's that starts last.
  func entry(deciding address: UInt64) -> Entry? {
    guard let first = top(at: address), let second = top(at: address + 1), first.disposition == second.disposition
    else { return nil }
    return first
  }

  private func top(at byte: UInt64) -> Entry? {
    var found: Entry?
    for entry in entries where entry.range.contains(byte) && entry.range.start >= found?.range.start ?? 0 {
      found = entry
    }
    return found
  }

  /// Does the operations, all or none: false where the session must refuse them.
  mutating func make(_ operations: [Operation]) -> Bool {
    var entries = entries
    for operation in operations {
      switch operation {
      case .declare(let range, let disposition):
        entries.append(Entry(range: range, disposition: disposition))
        if Self.contradicts(entries, entries.count - 1) { return false }
      case .set(let region, let disposition):
        guard let index = entries.firstIndex(where: { $0.region == region }) else { return false }
        entries[index].disposition = disposition
        if Self.contradicts(entries, index) { return false }
      case .remove(let region):
        guard let index = entries.firstIndex(where: { $0.region == region }) else { return false }
        entries.remove(at: index)
      }
    }
    self.entries = entries
    return true
  }

  private static func contradicts(_ entries: [Entry], _ index: Int) -> Bool {
    let own = entries[index]
    return entries.contains { $0.disposition != own.disposition && $0.range.overlaps(own.range) }
  }

  /// Keeps what the session calls the regions that it was last told of.
  mutating func name(_ declared: [Region]) {
    var next = declared.makeIterator()
    for index in entries.indices where entries[index].region == nil { entries[index].region = next.next() }
  }
}

extension SessionChange {
  /// The same, said to a session.
  mutating func make(_ operations: [RegionModel.Operation]) {
    for operation in operations {
      switch operation {
      case .declare(let range, let disposition): declare(range, disposition)
      case .set(let region, let disposition): set(disposition, of: region)
      case .remove(let region): remove(region)
      }
    }
  }
}
