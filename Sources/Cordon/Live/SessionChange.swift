public import FilterCompiler

/// What is to become of a session's regions, to be made as one change.
public struct SessionChange: Sendable {
  enum Operation: Sendable {
    case declare(AddressRange, Region.Disposition)
    case remove(Region)
    case set(Region, Region.Disposition)
  }
  private(set) var operations: [Operation] = []

  /// A change of nothing.
  public init() {}

  /// The calls of the instructions that lie wholly inside `range` go to the hook.
  public mutating func trap(_ range: AddressRange) { declare(range, .trap) }

  /// The calls of the instructions that lie wholly inside `range` happen: for sessions whose default is `.trap`.
  public mutating func allow(_ range: AddressRange) { declare(range, .allow) }

  /// A new region.
  public mutating func declare(_ range: AddressRange, _ disposition: Region.Disposition) {
    operations.append(.declare(range, disposition))
  }

  /// The session no longer has the region; its code gets the session's default, or what another region says of it.
  public mutating func remove(_ region: Region) { operations.append(.remove(region)) }

  /// The region's calls get another disposition.
  public mutating func set(_ disposition: Region.Disposition, of region: Region) {
    operations.append(.set(region, disposition))
  }
}

/// What was done to a store of regions, to be undone.
struct ChangeJournal {
  private enum Step {
    case declared(Region)
    case removed(RegionStore.Entry)
    case set(RegionStore.Entry)
  }
  private var steps: [Step] = []
  /// The regions that are new, in the order of their declaration.
  private(set) var declared: [Region] = []
  /// Those that are gone.
  private(set) var removed: [Region] = []
  /// The stretches of code about which something else is said, ascending and apart.
  private(set) var stretches: [Range<UInt64>] = []

  /// Does the operations, all of them or none.
  init(_ operations: [SessionChange.Operation], on store: inout RegionStore) throws(SessionError) {
    do throws(SessionError) {
      for operation in operations {
        let range: AddressRange
        switch operation {
        case .declare(let wanted, let disposition):
          let region = try store.insert(wanted, disposition)
          steps.append(.declared(region))
          declared.append(region)
          range = wanted
        case .remove(let region):
          steps.append(.removed(try store.takeOut(region)))
          removed.append(region)
          range = region.range
        case .set(let region, let disposition):
          steps.append(.set(try store.set(disposition, of: region)))
          range = region.range
        }
        stretches.append(range.start..<range.end)
      }
    } catch {
      undo(on: &store)
      throw error
    }
    if stretches.count > 1 { stretches = Self.joined(stretches) }
  }

  /// Those that share an instruction become one.
  private static func joined(_ stretches: [Range<UInt64>]) -> [Range<UInt64>] {
    var joined: [Range<UInt64>] = []
    for stretch in stretches.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = joined.last, stretch.lowerBound <= last.upperBound + 2 {
        joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, stretch.upperBound)
      } else {
        joined.append(stretch)
      }
    }
    return joined
  }

  func undo(on store: inout RegionStore) {
    for step in steps.reversed() {
      switch step {
      case .declared(let region):
        if (try? store.takeOut(region)) != nil { store.release(region.index) }
      case .removed(let entry): store.put(entry)
      case .set(let entry): store.reset(entry)
      }
    }
  }
}
