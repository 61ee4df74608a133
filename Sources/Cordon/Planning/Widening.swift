/// How much more than it must a new filter traps, so that later regions need none.
package enum Widening: Int, Sendable, Comparable, CaseIterable {
  /// Nothing more.
  case none
  /// What lies clear of everywhere that Linux maps by itself: programs executed later keep clear of it, and so do
  /// libraries.
  case clear
  /// All that holds no code, but where the kernel will map libraries for a long time.
  case unmapped
  /// All that holds no code, but where the kernel will map the next few libraries.
  case nearlyEverythingFree
  /// All that holds no code now.
  case everythingFree
  /// Everything.
  case everything

  package static func < (left: Widening, right: Widening) -> Bool { left.rawValue < right.rawValue }

  /// Where Linux maps nothing of a program's by itself, on whole 4 GiB lines. What lies between them: programs of a fixed
  /// address and their heaps (below 64 GiB); the base of mappings under `ulimit -s unlimited` (0x1555…) and in the old
  /// layout (0x2aaa…), position-independent programs (0x5555…), libraries, stacks and the vDSO (0x7ef…-0x7fff…), each of
  /// which is moved by up to 1 TiB.
  static let clearZones = IntervalSet([
    IntervalSet.Interval(0x10_0000_0000, 0x14ff_ffff_ffff), IntervalSet.Interval(0x1700_0000_0000, 0x29ff_ffff_ffff),
    IntervalSet.Interval(0x2d00_0000_0000, 0x53ff_ffff_ffff), IntervalSet.Interval(0x5800_0000_0000, 0x7dff_ffff_ffff),
  ])
  /// All that instructions in user space can report, and Linux lets a process map (from vm.mmap_min_addr on, which is
  /// 64 KiB).
  private static let userSpace = IntervalSet([IntervalSet.Interval(0x1_0000, 0x7fff_ffff_ffff)])

  /// The instruction pointers that a filter takes in besides `missing`, of which it may trap nothing that is code, but
  /// for what traps already.
  package func addition(_ view: some AddressSpaceView, armed: IntervalSet) -> IntervalSet {
    switch self {
    case .none: return IntervalSet()
    case .clear: return Self.clearZones.subtracting(view.code.subtracting(armed)).subtracting(view.next)
    case .unmapped: return Self.userSpace.subtracting(view.code.subtracting(armed)).subtracting(view.next)
    case .nearlyEverythingFree:
      return Self.userSpace.subtracting(view.code.subtracting(armed)).subtracting(view.nearest)
    case .everythingFree: return Self.userSpace.subtracting(view.code.subtracting(armed))
    case .everything: return IntervalSet([IntervalSet.Interval(2, 0x7fff_ffff_ffff)])
    }
  }

  /// Whether a program that is executed later may be loaded where a filter traps, given what that traps.
  package static func endangersPrograms(_ trapped: IntervalSet) -> Bool { !trapped.subtracting(clearZones).isEmpty }

  /// Whether code lies in so many places that somebody must be choosing them all over the address space. A program and
  /// its libraries, what its JIT compilers make and a session's own block are in four stretches of 4 GiB or fewer.
  static func isScattered(_ wanted: IntervalSet) -> Bool {
    var stretches: Set<UInt64> = []
    for interval in wanted.intervals where stretches.count < 5 { stretches.insert(interval.first >> 32) }
    return stretches.count == 5
  }
}
