import Cordon
import Glibc
import GuestCode
import SystemPackage
import Testing

/// What the RFC was asked and nobody could answer: how many regions, how often they change, and what they cost.
@Suite struct LiveStatistics {
  @Test func `how many, how often, at what cost`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      guest.log.answer(Number.getpid, .value, 4711)
      let session = guest.session
      check(
        "\(session.statistics)".hasPrefix("1 region, 0 changes, 0 filters, 0 stale ranges, 0 traps"), true, "before")
      try guest.activate(for: .allThreads)
      let one = session.statistics
      check([one.regions, one.filters, one.staleRanges, Int(one.changes)], [1, 1, 0, 0], "activated")

      // In the session's own block: nothing attached, nothing stale.
      let made = try (0..<10).map { _ in try session.mapExecutable(GuestTemplate.getpid.code) }
      for region in made { check(call(region.range.start), 4711, "a region's call") }
      for region in made.prefix(4) { try session.unmap(region) }
      let block = session.statistics
      check([block.regions, block.filters, block.staleRanges, Int(block.changes)], [7, 1, 0, 14], "in the block")
      check([Int(block.traps), Int(block.hooked), Int(block.unasked)], [10, 10, 0], "traps")
      check(block.nanosecondsPerCall, one.nanosecondsPerCall, "the price")

      // Elsewhere: one filter, and when the region is gone a stale range whose calls are passed through.
      let ground = try #require(Ground(at: 0x4000_0000_0000, size: 0x1000))
      let range = try AddressRange(start: ground.start, end: ground.start + 0x1000)
      guest_write(ground.start, GuestTemplate.getpid.code, GuestTemplate.getpid.code.count)
      let plan = try session.plan { $0.trap(range) }
      let scattered = try session.trap(range)
      check(call(ground.start), 4711, "its call")
      try session.remove(scattered)
      for _ in 0..<3 { check(call(ground.start), Int(getpid()), "the call of what is there now") }
      let all = session.statistics
      check([all.regions, all.filters, all.staleRanges, Int(all.changes)], [7, 2, 1, 16], "elsewhere")
      check([Int(all.traps), Int(all.hooked), Int(all.unasked), Int(all.passed)], [14, 11, 3, 3], "traps")
      check(all.nanosecondsPerCall, plan.nanosecondsAfter, "the price that the plan named")
      #expect(plan.nanosecondsAfter > plan.nanosecondsBefore && plan.nanosecondsBefore == one.nanosecondsPerCall)
      check(
        "\(all)",
        "7 regions, 16 changes, 2 filters, 1 stale range, 14 traps (3 unasked for), "
          + "about \(Int(plan.nanosecondsAfter)) ns more for an untrapped call", "in words")
    }
  }
}
