import TrapEngine

extension Session {
  /// Counts since activation, over all threads; each is exact, but they are not read at one instant.
  public struct Statistics: Sendable, Hashable {
    /// SIGSYS deliveries that were this session's.
    public let traps: UInt64
    /// Of these, how many the hook answered.
    public let hooked: UInt64
    /// Calls let through, by the hook or unasked.
    public let passed: UInt64
    /// Calls let through because their region's policy allows them.
    public let permitted: UInt64
    /// Calls let through without the hook, since no region asks for their trap: what the mechanism traps too much.
    public let unasked: UInt64
    /// SIGSYS signals of others, handed to the program's own handler.
    public let forwarded: UInt64
    /// Calls that the regions themselves answered with an error.
    public let refused: UInt64
    /// Call sites that were ever passed through.
    public let sites: UInt64

    /// The regions that there are.
    public let regions: Int
    /// Changes made since activation.
    public let changes: UInt64
    /// Filters that the session has attached. None of them can be taken off.
    public let filters: Int
    /// Stale ranges: where regions were, that no region asks for any more, and where calls trap nevertheless. Code that
    /// comes to lie there is passed through (``unasked``).
    public let staleRanges: Int
    /// What an untrapped call costs more than without a session, in nanoseconds, by what was measured elsewhere.
    public let nanosecondsPerCall: Double
    /// Whether programs that are executed from now on may be loaded where a filter traps, and die of it.
    public let endangersPrograms: Bool
  }

  /// What has happened so far; all zeros before activation. The counts of calls are for the process, which has one active
  /// session at most.
  public var statistics: Statistics {
    var counters = CordonCounters()
    cordon_engine_counters(&counters)
    let (regions, active, stale) = read((0, Active?.none, 0)) { ($0.store.count, $0.active, $0.staleRanges) }
    return Statistics(
      traps: counters.traps, hooked: counters.hooked, passed: counters.passed, permitted: counters.permitted,
      unasked: counters.unasked, forwarded: counters.forwarded, refused: counters.refused, sites: counters.sites,
      regions: regions,
      changes: active?.changes ?? 0, filters: active?.armament.filters ?? 0, staleRanges: stale,
      nanosecondsPerCall: active?.armament.price ?? 0,
      endangersPrograms: active?.armament.endangersPrograms ?? false)
  }
}

extension Session.Statistics: CustomStringConvertible {
  /// How many, how often, at what cost; in one line.
  public var description: String {
    func count(_ number: some BinaryInteger, _ one: String) -> String { "\(number) \(one)\(number == 1 ? "" : "s")" }
    return [
      count(regions, "region"), count(changes, "change"), count(filters, "filter"), count(staleRanges, "stale range"),
      count(traps, "trap") + " (\(unasked) unasked for)",
      "about \(Int(nanosecondsPerCall)) ns more for an untrapped call",
    ].joined(separator: ", ")
  }
}

extension Session.State {
  fileprivate var staleRanges: Int {
    guard let active, !active.removed.isEmpty else { return 0 }
    var stale = IntervalSet(active.removed)
    // Nothing but regions ever lies in the arena.
    if let arena { stale = stale.subtracting(IntervalSet([arena.pointers])) }
    stale = stale.subtracting(StepRow(store, default: usual).trapped)
    return stale.intersection(active.armament.armed).intervals.count
  }
}
