import Cordon
import Glibc
import GuestCode
import Testing

/// Any number of regions in one session: the answers are right for all of them.
@Suite struct ManyRegions {
  @Test(arguments: mechanisms, [1, 64, 1024])
  func `regions in many blocks, declared in any order`(_ mechanism: String, _ count: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, count = count as Int] in
      begin()
      let regions = scatter(count)
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      var declared: [Int: Region] = [:]
      // A multiplier without common factors with the count: each place once, in no order.
      for step in 0..<count {
        let place = step * 7919 % count
        let region = regions[place]
        declared[place] = try session.trap(AddressRange(start: region.start, end: region.end))
      }
      let log = HookLog()
      log.answer(Number.getpid, .value, 4711)
      try session.setHook(log.hook())
      try session.activate(for: .allThreads)

      var inside = 0
      for (place, region) in regions.enumerated() {
        for address in [region.start, region.end - 2] {
          inside += 1
          check(region.ground.call(at: address), 4711, "at \(hex(address)), inside")
          check(Int(log.raw.pointee.trap.region), try #require(declared[place]).index, "the region")
        }
        for address in [region.start - 2, region.start - 1, region.end - 1, region.end] {
          check(region.ground.call(at: address), Int(getpid()), "at \(hex(address)), outside")
        }
        check(log.hooked, inside, "trapped calls after region \(place)")
      }
      if mechanism == "seccomp" { check(Int(session.statistics.traps), inside, "traps") }
    }
  }

  /// Filters have 4,096 instructions. What one cannot hold, several do.
  @Test func `more than one filter can hold`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let regions = scatter(2500)
      let session = try Session()
      for region in regions { try session.trap(AddressRange(start: region.start, end: region.end)) }
      let log = HookLog()
      log.answer(Number.getpid, .value, 4711)
      try session.setHook(log.hook())
      try session.activate()
      for region in regions {
        check(region.ground.call(at: region.start), 4711, "at \(hex(region.start))")
        check(region.ground.call(at: region.end), Int(getpid()), "at \(hex(region.end)), outside")
      }
      check(log.hooked, regions.count, "trapped calls")
      check(Int(session.statistics.traps), regions.count, "traps: the filters are exact")
      #expect((2...8).contains(session.statistics.filters), "\(session.statistics.filters) filters")
    }
  }
}

/// `count` small regions of different lengths with gaps between them, around as many 4 GiB lines as it takes.
private func scatter(_ count: Int) -> [(start: UInt64, end: UInt64, ground: Ground)] {
  let onOneLine = 64
  let lines = Ground.lines((count + onOneLine - 1) / onOneLine, size: 0x4000)
  return (0..<count).map { index in
    let (line, ground) = lines[index / onOneLine]
    let place = UInt64(index % onOneLine)
    // Every other bound is odd, and one region of each line crosses it.
    let start = line - 0x1020 + place * 0x80 + UInt64(index % 5)
    return (start, start + 2 + UInt64(index * 37 % 90), ground)
  }
}
