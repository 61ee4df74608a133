import Cordon
import Glibc
import GuestCode
import Testing

/// Where a session's regions begin and end, judged by the kernel: `syscall` instructions are placed around every bound
/// and run. An instruction is in where both of its bytes are.
enum Layout: String, CaseIterable, Codable, Sendable {
  case ordinary, endsOnLine, startsOnLine, crossesLine, wholeBlock, sharedHighWord, adjacent, twoBytes, lowestPage,
    highestPage

  /// The regions, and the pages around their bounds; nil where this user cannot have the addresses.
  func build() -> (regions: [(UInt64, UInt64)], grounds: [Ground])? {
    switch self {
    case .lowestPage:
      guard let ground = Ground.lowest() else { return nil }
      return ([(ground.start, ground.start + 0x40)], [ground])
    case .highestPage:
      guard let ground = Ground(at: 0x7fff_ffff_e000, size: 4096) else { return nil }
      return ([(ground.start + 0xf80, ground.start + 0x1000), (ground.start, ground.start + 0x40)], [ground])
    case .wholeBlock:
      let lines = Ground.lines(2, size: 0x10000)
      return ([(lines[0].line, lines[1].line)], lines.map(\.ground))
    default:
      let (line, ground) = Ground.lines(1, size: 0x10000)[0]
      return (regions(around: line), [ground])
    }
  }

  private func regions(around line: UInt64) -> [(UInt64, UInt64)] {
    switch self {
    case .ordinary: [(line + 0x1100, line + 0x1200)]
    case .endsOnLine: [(line - 0x80, line)]
    case .startsOnLine: [(line, line + 0x80)]
    case .crossesLine: [(line - 0x40, line + 0x40)]
    case .sharedHighWord: [(line + 0x3000, line + 0x3010), (line + 0x1001, line + 0x1fff)]
    case .adjacent: [(line + 0x1000, line + 0x1021), (line + 0x1021, line + 0x1040), (line + 0x1040, line + 0x1050)]
    case .twoBytes: [(line + 0x1ffe, line + 0x2000), (line + 0x1337, line + 0x1339)]
    default: []
    }
  }
}

/// One instruction, and what must become of it.
private struct Probe {
  let address: UInt64
  /// Both of its bytes lie in declared regions.
  let isInside: Bool
  /// The region that its first byte is in, where both are in one.
  let region: Int?

  static func all(_ regions: [(UInt64, UInt64)], on grounds: [Ground]) -> [(probe: Probe, ground: Ground)] {
    func region(of byte: UInt64) -> Int? { regions.firstIndex { $0.0 <= byte && byte < $0.1 } }
    var addresses: Set<UInt64> = []
    for (start, end) in regions {
      for bound in [start, end] { addresses.formUnion((bound < 4 ? 0 : bound - 4)...bound + 4) }
      addresses.insert((start + end) / 2)
    }
    return addresses.sorted().compactMap { address in
      guard let ground = grounds.first(where: { $0.contains(address) }) else { return nil }
      let isInside = region(of: address) != nil && region(of: address + 1) != nil
      return (Probe(address: address, isInside: isInside, region: isInside ? region(of: address) : nil), ground)
    }
  }
}

extension Probe {
  /// Places the instruction, makes the call getpid by it, and takes it away. 4711 where the hook has answered.
  fileprivate func run(on ground: Ground, _ log: HookLog) -> Int {
    ground.place(at: address)
    defer { ground.clear(at: address) }
    // At the very end of the pages there is no room for a return: the hook sends the thread to one elsewhere.
    guard address + 2 == ground.start + ground.size else {
      log.answer(Number.getpid, .value, 4711)
      return guest_enter(address, Number.getpid, 0, 0, 0, 0)
    }
    log.answer(Number.getpid, .redirect, Int(guest_return()))
    return guest_enter(address, Number.getpid, 0, 0, 0, 0) == Number.getpid ? 4711 : -1
  }
}

/// The layouts whose addresses this user can map; the others are said, once.
private let layouts: [Layout] = Layout.allCases.filter { layout in
  guard let grounds = layout.build()?.grounds else {
    print("the layout \(layout) is not tested here, since this user cannot map its addresses")
    return false
  }
  grounds.forEach { $0.release() }
  return true
}

@Suite struct Boundaries {
  @Test(arguments: mechanisms, layouts)
  func `trapped regions`(_ mechanism: String, _ layout: Layout) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, layout = layout as Layout] in
      begin()
      let (regions, grounds) = try #require(layout.build())
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)))
      let declared = try regions.map { try session.trap(AddressRange(start: $0.0, end: $0.1)) }
      let log = HookLog()
      try session.setHook(log.hook())
      try session.activate(for: .allThreads)
      var inside = 0
      for (probe, ground) in Probe.all(regions, on: grounds) {
        let result = probe.run(on: ground, log)
        if probe.isInside { inside += 1 }
        check(result, probe.isInside ? 4711 : Int(getpid()), "at \(hex(probe.address)) of \(regions)")
        check(log.hooked, inside, "trapped calls up to \(hex(probe.address))")
        guard probe.isInside else { continue }
        check(log.raw.pointee.trap.instruction_address, probe.address, "the instruction")
        check(Int(log.raw.pointee.trap.region), declared[probe.region!].index, "the region")
      }
      #expect(inside >= regions.count, "there was something to trap")
      // Under seccomp the kernel alone has decided: nothing came to the handler that did not go to the hook.
      if mechanism == "seccomp" { check(Int(session.statistics.traps), inside, "traps") }
    }
  }

  /// The other way round: everything traps but the declared regions, and the gate.
  @Test(arguments: mechanisms.filter { $0 != Mechanism.sudInclusive.rawValue }, layouts)
  func `allowed regions`(_ mechanism: String, _ layout: Layout) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, layout = layout as Layout] in
      begin()
      let (regions, grounds) = try #require(layout.build())
      let session = try Session(mechanism: try #require(Mechanism(rawValue: mechanism)), default: .trap)
      for (start, end) in regions { try session.allow(AddressRange(start: start, end: end)) }
      let log = HookLog()
      log.raw.pointee.guest_start = grounds.map(\.start).min()!
      log.raw.pointee.guest_end = grounds.map { $0.start + $0.size }.max()!
      try session.setHook(log.hook())
      try session.activate(for: .allThreads)
      var outside = 0
      for (probe, ground) in Probe.all(regions, on: grounds) where probe.address + 2 < ground.start + ground.size {
        let result = probe.run(on: ground, log)
        if !probe.isInside { outside += 1 }
        check(result, probe.isInside ? Int(getpid()) : 4711, "at \(hex(probe.address)) of \(regions)")
        check(log.hooked, outside, "trapped calls up to \(hex(probe.address))")
        guard !probe.isInside else { continue }
        check(log.raw.pointee.trap.instruction_address, probe.address, "the instruction")
        check(log.raw.pointee.trap.region, UInt32.max, "the region of an instruction that lies in none")
      }
      #expect(outside >= 4, "there was something to trap")
    }
  }

  /// One instruction on two pages that became executable in different ways. Debian's libc has two such sites.
  @Test(arguments: mechanisms, [0, 1, 2])
  func `an instruction across a page line`(_ mechanism: String, _ which: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, which = which as Int] in
      begin()
      let guest = try Guest(mechanism)
      let (line, ground) = Ground.lines(1, size: 0x2000)[0]
      let middle = line + 0x1000
      ground.place(at: middle - 1)
      // The second page gets its code from a file, and its protection by way of another.
      let file = Int32(nativeCall(Number.memfdCreate, guest.scratch.holding(UInt64(0x65_6761_70))))
      var page = [UInt8](repeating: 0xcc, count: 4096)
      page[0] = 0x05
      page[1] = 0xc3
      check(Glibc.write(file, page, 4096), 4096, "write")
      let second = UnsafeMutableRawPointer(bitPattern: UInt(middle))
      #expect(mmap(second, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == second)
      check(mprotect(second, 4096, PROT_READ | PROT_EXEC), 0, "mprotect of the second page")
      let first = UnsafeMutableRawPointer(bitPattern: UInt(line))
      check(mprotect(first, 4096, PROT_NONE), 0, "mprotect of the first page")
      check(mprotect(first, 4096, PROT_READ | PROT_EXEC), 0, "mprotect of the first page")

      guest.log.answer(Number.getpid, .value, 4711)
      let range = [(line, middle + 0x1000), (line, middle), (middle, middle + 0x1000)][which]
      try guest.session.trap(AddressRange(start: range.0, end: range.1))
      try guest.activate(for: .allThreads)
      for round in 1...3 {
        let result = guest_enter(middle - 1, Number.getpid, 0, 0, 0, 0)
        check(result, which == 0 ? 4711 : Int(getpid()), "the instruction across the line")
        check(guest.log.hooked, which == 0 ? round : 0, "trapped calls")
      }
      guest.log.answer(Number.getpid, .pass)
      check(guest_enter(middle - 1, Number.getpid, 0, 0, 0, 0), Int(getpid()), "the call, passed")
    }
  }
}

func hex(_ address: UInt64) -> String { "0x" + String(address, radix: 16) }
