import FilterCompiler

/// Calls that trap by number and argument, wherever they come from.
struct GlobalTraps: Sendable {
  /// The calls.
  private(set) var patterns: [CallPattern] = []
  /// Whether programs that are executed under the filter make such calls by themselves, and die of them.
  private(set) var endangersPrograms = false
  /// The addresses at which every call that could unmark memory traps.
  private(set) var followed = IntervalSet()

  /// What the options of a session ask for.
  /// - Parameters:
  ///   - arena: where a session maps what is marked, if it has such a block.
  ///   - marked: what is marked already.
  init(_ options: Session.Options, arena: AddressRange? = nil, marked: [AddressRange] = []) {
    if options.contains(.memoryMapCalls) {
      var zones = Widening.clearZones
      if let arena { zones = zones.union(IntervalSet([IntervalSet.Interval(arena.start, arena.end - 1)])) }
      patterns = CallPattern.marking + CallPattern.unmarking(in: zones)
      followed = zones
      if !marked.allSatisfy(zones.holds) { followEverywhere() }
    }
    if options.contains(.guardsSIGSYS) {
      patterns += CallPattern.endangeringSIGSYS
      endangersPrograms = true
    }
  }

  /// From now on calls trap that could unmark memory anywhere: every program makes such calls.
  mutating func followEverywhere() {
    patterns += CallPattern.unmarking
    endangersPrograms = true
    followed = .everything
  }
}

extension IntervalSet {
  /// Whether it has all addresses of a range.
  func holds(_ range: AddressRange) -> Bool {
    IntervalSet([Interval(range.start, range.end - 1)]).subtracting(self).isEmpty
  }
}

extension CallPattern {
  private static let (mmap, mprotect, munmap, mremap, pkeyMprotect): (UInt32, UInt32, UInt32, UInt32, UInt32) = (
    9, 10, 11, 25, 329
  )
  private static let (brk, shmat, shmdt, remapFilePages): (UInt32, UInt32, UInt32, UInt32) = (12, 30, 67, 216)
  private static let (prctl, seccomp): (UInt32, UInt32) = (157, 317)
  private static let fixed = ArgumentCondition.known(3, .masked(0x10, equal: 0x10))  // MAP_FIXED
  private static let replaces = ArgumentCondition.known(2, .masked(0x4000, equal: 0x4000))  // SHM_REMAP
  private static let moveFixed = ArgumentCondition.known(3, .masked(2, equal: 2))  // MREMAP_FIXED

  /// The memory-map RFC's own calls: memory is marked, and the marks are made to count. No other program makes them.
  static let marking: [CallPattern] = {
    let marked = ArgumentCondition.known(2, .masked(0x40, equal: 0x40))  // PROT_NOSYSCALL
    return [mmap, mprotect, pkeyMprotect].map { CallPattern($0, where: [marked]) } + [
      CallPattern(seccomp, where: [.int(0, 4)]),  // SECCOMP_SET_MODE_MEMMAP
      CallPattern(prctl, where: [.int(0, 22), .known(1, .equal(3))]),  // PR_SET_SECCOMP, SECCOMP_MODE_MEMMAP
      CallPattern(prctl, where: [.int(0, 21)]),  // PR_GET_SECCOMP
    ]
  }()

  /// Calls that unmap memory, map over it, move it or set its protection.
  ///
  /// Not among them are calls that take nothing but addresses at which nothing is mapped, since marks lie on what is mapped,
  /// or in the session's own block, all of which is: a break that goes up (brk(2) leaves it where it is if anything lies in
  /// between), and a segment of shared memory without SHM_REMAP (EINVAL, `do_shmat` in ipc/shm.c).
  static let unmarking: [CallPattern] =
    [mprotect, pkeyMprotect, munmap, mremap, shmdt, remapFilePages].map { CallPattern($0) } + [
      CallPattern(mmap, where: [fixed]), CallPattern(shmat, where: [replaces]), CallPattern(brk, where: [.given(0)]),
    ]

  /// Those of them that are about addresses in some zones, told by where they begin: what is longer than 4 GiB is taken in
  /// wherever it does, and what is not reaches into a zone from 4 GiB below at most. Segments of shared memory do not say
  /// how long they are, and breaks not where they were: those are told by where they begin alone.
  static func unmarking(in zones: IntervalSet) -> [CallPattern] {
    let line: UInt64 = 1 << 32
    let places = IntervalSet(
      zones.intervals.map { zone in
        IntervalSet.Interval(
          (zone.first > line ? zone.first - line : 0) & ~(line - 1), zone.last | (line - 1))
      })
    let about =
      places.intervals.map { ArgumentCondition.known(0, .within($0.first, $0.last)) }
      + [.known(1, .greaterOrEqual(line))]
    let range = [mprotect, pkeyMprotect, munmap, mremap, remapFilePages]
    return range.flatMap { number in about.map { CallPattern(number, where: [$0]) } }
      + about.map { CallPattern(mmap, where: [fixed, $0]) } + [CallPattern(mremap, where: [moveFixed])]
      + [brk, shmdt].flatMap { number in
        places.intervals.map { CallPattern(number, where: [.known(0, .within($0.first, $0.last))]) }
      }
      + places.intervals.map { CallPattern(shmat, where: [replaces, .known(1, .within($0.first, $0.last))]) }
  }
}
