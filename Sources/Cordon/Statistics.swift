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
    /// Calls let through without the hook, since no region asks for their trap: what the mechanism traps too much.
    public let unasked: UInt64
    /// SIGSYS signals of others, handed to the program's own handler.
    public let forwarded: UInt64
    /// Call sites that were ever passed through.
    public let sites: UInt64
  }

  /// What has happened so far; all zeros before activation. For the process, which has one active session at most.
  public var statistics: Statistics {
    var counters = CordonCounters()
    cordon_engine_counters(&counters)
    return Statistics(
      traps: counters.traps, hooked: counters.hooked, passed: counters.passed, unasked: counters.unasked,
      forwarded: counters.forwarded, sites: counters.sites)
  }
}
