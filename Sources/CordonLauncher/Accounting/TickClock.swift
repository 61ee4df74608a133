import AgentInterface

/// The time stamp counter as a clock: how long a tick is shows in how many have passed since the start.
struct TickClock {
  private let startTicks: UInt64
  private let startTime: UInt64

  init() {
    startTicks = cordon_ticks()
    startTime = MonotonicTime.now()
  }

  /// Nanoseconds in a tick, as far as can be said by now.
  func nanosecondsPerTick() -> Double {
    let (ticks, time) = (cordon_ticks(), MonotonicTime.now())
    return Double(time - startTime) / Double(max(ticks &- startTicks, 1))
  }

  /// Ticks since the start; 0 for what was before it.
  func sinceStart(_ ticks: UInt64) -> UInt64 { ticks > startTicks ? ticks - startTicks : 0 }
}
