import Cordon
import Glibc
import GuestCode
import SystemPackage
import TestSupport
import Testing

/// Random changes of several parts, many of which contradict what there is, made to a session and to a list of regions. After
/// each of them the plan that was asked for before must have told what was done, and calls at and around the bounds of
/// regions must be answered as the list says: by the thread that changes, by a new one, and in a forked child, which goes on
/// changing. CORDON_RANDOM_CHANGES says how many changes each run makes; 60 where it is not set.
@Suite struct RandomChanges {
  static let changes = getenv("CORDON_RANDOM_CHANGES").flatMap { Int(String(cString: $0)) } ?? 60

  @Test(arguments: mechanisms + ["automatic"], 1...3)
  func `sessions and lists`(_ mechanism: String, _ seed: Int) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, seed = seed as Int] in
      begin()
      var run = try RandomRun(mechanism, seed: UInt64(seed))
      try run.start()
      for _ in 0..<RandomChanges.changes { try run.step() }
      #expect(run.refused > 0 && run.made > run.refused / 2, "\(run.made) changes made, \(run.refused) refused")
      #expect(run.calls > 4 * RandomChanges.changes, "\(run.calls) calls")
    }
  }
}

private struct RandomRun {
  private let guest: Guest
  private var grounds: [Ground] = []
  private var model = RegionModel()
  private var gone: [Region] = []
  private var random: SeededGenerator
  private let name: String
  private(set) var (made, refused, calls) = (0, 0, 0)
  private var steps = 0

  private static let answer = 4711
  private static let policies: [Policy] = [
    Policy.Rule(39, Action(.errno, data: 33)), Policy.Rule(39, Action(.allow)), Policy.Rule(39, Action(.trap)),
  ].compactMap { rule in
    try? Policy(tables: [.x86_64: Policy.Table([rule], otherwise: Action(.trap))])
  }

  init(_ mechanism: String, seed: UInt64) throws {
    guest = try Guest(mechanism)
    guest.log.answer(Number.getpid, .value, Self.answer)
    random = SeededGenerator(seed: seed)
    name = "\(mechanism), seed \(seed)"
    model.add(guest.region(.call))
    // Across a 4 GiB line, at the edge of where Linux maps nothing, at the end of user space, and elsewhere.
    for (start, size) in [
      (0x4_ffff_f000, 0x2000), (0x3fff_ffff_f000, 0x3000), (0x7fff_ffff_e000, 0x1000), (0x2000_0000_0000, 0x2000),
      (0x8_0000_0000, 0x1000),
    ] as [(UInt64, UInt64)] {
      if let ground = Ground(at: start, size: size) { grounds.append(ground) }
    }
  }

  /// Some changes, then the activation; that is refused where the one range of dispatch would have Cordon's own pages in it.
  mutating func start() throws {
    if guest.session.mechanism != .sudInclusive { for _ in 0..<3 { try change() } }
    try guest.activate(for: .allThreads)
    look()
  }

  mutating func step() throws {
    steps += 1
    switch Int.random(in: 0..<12, using: &random) {
    case 0:
      // Other code comes to lie there.
      let index = Int.random(in: 0..<grounds.count, using: &random)
      grounds[index].release()
      grounds[index] = try #require(Ground(at: grounds[index].start, size: grounds[index].size))
    case 1:
      nonisolated(unsafe) var copy = self
      check(TestThread { copy.look() }.join(), 0, "what a new thread found wrong, \(name)")
    case 2:
      var copy = self
      let status = inChild {
        for _ in 0..<3 { try copy.change() }
        _exit(copy.look() == 0 ? 0 : 2)
      }
      check(status, 0, "how the child ended, \(name), step \(steps)")
    default: try change()
    }
    look()
  }

  private mutating func change() throws {
    let operations = (0..<Int.random(in: 1...4, using: &random)).map { _ in operation() }
    let before = guest.session.statistics
    let plan = outcome { () throws(SessionError) in try guest.session.plan { $0.make(operations) } }
    let found = outcome { () throws(SessionError) in try guest.session.change { $0.make(operations) } }
    let after = guest.session.statistics
    let place = "\(name), step \(steps): \(operations)"
    switch found {
    case .success(let declared):
      made += 1
      guard model.make(operations) else {
        Issue.record("accepted, \(place)")
        return
      }
      model.name(declared)
      for case .remove(let region) in operations { gone.append(region) }
      guard guest.session.isActive, let plan = try? plan.get() else { break }
      check(after.filters, before.filters + plan.filters, "filters after \(plan), \(place)")
      check(after.nanosecondsPerCall, plan.nanosecondsAfter, "the price after \(plan), \(place)")
      check(after.endangersPrograms, plan.endangersPrograms, "the danger after \(plan), \(place)")
      check(after.changes, before.changes + 1, "changes, \(place)")
    case .failure(let error):
      refused += 1
      var copy = model
      // Dispatch of one range cannot have Cordon's own pages in it.
      if case .inexpressible(.sudInclusive, _) = error {
      } else if copy.make(operations) {
        Issue.record("refused: \(error), \(place)")
      }
      check(plan.error, error, "what the plan throws, \(place)")
      check([after.filters, after.regions], [before.filters, before.regions], "the session, \(place)")
      check(after.changes, before.changes, "changes, \(place)")
    }
    check(Set(guest.session.regions), model.regions, "the regions, \(place)")
  }

  private mutating func operation() -> RegionModel.Operation {
    let known = model.entries.compactMap(\.region).filter { $0 != guest.region(.call) }
    switch (Int.random(in: 0..<8, using: &random), known.randomElement(using: &random)) {
    case (0..<2, .some(let region)): return .set(region, disposition())
    case (2..<4, .some(let region)): return .remove(region)
    case (4, _) where !gone.isEmpty && Bool.random(using: &random): return .remove(gone[gone.count - 1])
    default: return .declare(range(), disposition())
    }
  }

  private mutating func disposition() -> Region.Disposition {
    switch Int.random(in: 0..<8, using: &random) {
    case 0..<4: .trap
    case 4: .allow
    case 5: .error(.permissionDenied)
    default: Self.policies.randomElement(using: &random).map { .policy($0) } ?? .trap
    }
  }

  /// A few bytes, or many, with bounds anywhere.
  private mutating func range() -> AddressRange {
    let ground = grounds[Int.random(in: 0..<grounds.count, using: &random)]
    let start = ground.start + UInt64.random(in: 0..<ground.size - 8, using: &random)
    let longest = Bool.random(using: &random) ? 8 : ground.start + ground.size - start
    let end = start + UInt64.random(in: 2...longest, using: &random)
    do { return try AddressRange(start: start, end: end) } catch { preconditionFailure("\(error)") }
  }

  /// Makes calls at and around all bounds; how many were not answered as the list says.
  @discardableResult
  mutating func look() -> Int {
    var wrong = 0
    let bounds = model.entries.suffix(12).flatMap { [$0.range.start, $0.range.end] }
    for bound in bounds + grounds.map({ $0.start + 0x400 }) {
      let address = bound &+ UInt64.random(in: 0...6, using: &random) &- 3
      guard let ground = grounds.first(where: { $0.contains(address) && $0.contains(address + 1) }) else { continue }
      let difference = call(at: address, on: ground)
      if let difference { Issue.record("\(difference), \(name), step \(steps)") }
      wrong += difference == nil ? 0 : 1
    }
    let now = guest.session.statistics
    if now.traps != now.hooked + now.permitted + now.unasked + now.refused {
      Issue.record("traps that are not accounted for: \(now), \(name), step \(steps)")
      wrong += 1
    }
    return wrong
  }

  /// Makes a call; what is wrong with its answer.
  private mutating func call(at address: UInt64, on ground: Ground) -> String? {
    calls += 1
    let entry = guest.session.isActive ? model.entry(deciding: address) : nil
    let before = guest.log.hooked
    let result = ground.call(at: address)
    let hooked = guest.log.hooked - before
    let trap = guest.log.raw.pointee.trap
    let (wanted, isHooked): (Int, Bool) =
      switch entry?.disposition {
      case .trap, .policy(Self.policies[2]): (Self.answer, true)
      case .error(let errno): (-Int(errno.rawValue), false)
      case .policy(Self.policies[0]): (-33, false)
      case nil, .allow, .kill, .policy: (Int(getpid()), false)
      }
    guard result == wanted, hooked == (isHooked ? 1 : 0) else {
      return "the call at \(hex(address)): \(result), \(hooked) hooked, instead of \(wanted)"
    }
    guard isHooked else { return nil }
    guard trap.instruction_address == address, Int(trap.region) == entry?.region?.index else {
      return "the call at \(hex(address)), seen at \(hex(trap.instruction_address)) in region \(trap.region)"
    }
    return nil
  }
}

extension RegionModel {
  /// A region that the session has by itself.
  fileprivate mutating func add(_ region: Region) {
    _ = make([.declare(region.range, .trap)])
    name([region])
  }
}

private func outcome<Success>(_ body: () throws(SessionError) -> Success) -> Result<Success, SessionError> {
  do throws(SessionError) { return .success(try body()) } catch { return .failure(error) }
}

extension Result where Failure == SessionError {
  fileprivate var error: SessionError? { if case .failure(let error) = self { error } else { nil } }
}
