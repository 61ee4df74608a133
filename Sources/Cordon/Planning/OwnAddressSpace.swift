import CordonShims
import FilterCompiler
import TrapEngine

/// This process, at the moment of each question.
struct OwnAddressSpace: AddressSpaceView {
  /// How far below what is mapped now (above, in the old layout) the kernel is expected to get.
  private static let nextSize: UInt64 = 3 << 30
  /// Some large libraries, or some hundred small ones; the kernel takes the first gap that is large enough.
  private static let nearestSize: UInt64 = 128 << 20
  /// More than a dynamic linker takes.
  private static let linkerRoom: UInt64 = 16 << 20

  /// Takes about a microsecond for each mapping of code (Linux 6.11 and later; before that a reading of /proc/self/maps).
  var code: IntervalSet { Self.pointers(Self.mappings(in: 0..<Architecture.x86_64.userSpaceEnd)) }

  /// Takes some microseconds, as ``code`` where that is all over the address space.
  func isOfFiles(_ pointers: IntervalSet) -> Bool {
    // Code may begin a byte before its first instruction pointer, or end a byte before its last one.
    guard let first = pointers.intervals.first?.first, let last = pointers.intervals.last?.last, first >= 2 else {
      return pointers.isEmpty
    }
    let files = Self.mappings(in: first - 2..<last).filter { $0.inode != 0 }
    return pointers.subtracting(Self.pointers(files)).isEmpty
  }

  var next: IntervalSet { IntervalSet([Self.room(for: Self.nextSize)]) }

  var nearest: IntervalSet { IntervalSet([Self.room(for: Self.nearestSize)]) }

  /// Those of any instruction that has a byte there.
  private static func pointers(_ mappings: [CordonMapping]) -> IntervalSet {
    IntervalSet(mappings.map { IntervalSet.Interval($0.start + 1, $0.end + 1) })
  }

  /// Where so many bytes more will lie: from the dynamic linker on downwards, or upwards in the old layout.
  private static func room(for size: UInt64) -> IntervalSet.Interval {
    let linker = cordon_linker_base()
    let place = placement(of: size)
    guard linker != 0 else { return place.map { IntervalSet.Interval($0, $0 + size) } ?? IntervalSet.Interval(0, 0) }
    let start = place ?? linker - min(size, linker)
    return start < linker
      ? IntervalSet.Interval(start, linker + linkerRoom) : IntervalSet.Interval(linker, start + size)
  }

  /// The executable mappings that have a byte in a range.
  private static func mappings(in range: Range<UInt64>) -> [CordonMapping] {
    let capacity = 1 << 16
    var found = withUnsafeTemporaryAllocation(of: CordonMapping.self, capacity: 256) { buffer -> [CordonMapping]? in
      let count = cordon_executable_mappings(range.lowerBound, range.upperBound, buffer.baseAddress, Int(buffer.count))
      return count < 0 || count == buffer.count ? nil : Array(buffer[..<count])
    }
    if found == nil {
      // More than usual: on the heap.
      let many = [CordonMapping](unsafeUninitializedCapacity: capacity) { buffer, count in
        count = max(cordon_executable_mappings(range.lowerBound, range.upperBound, buffer.baseAddress, capacity), 0)
      }
      if !many.isEmpty { found = many }
    }
    if let found { return found }
    let read = (try? ProcessMap())?.mappings ?? []
    return read.filter { $0.isExecutable && $0.range.start < range.upperBound && $0.range.end > range.lowerBound }
      .map { mapping in
        let isFile = if case .file = mapping.origin { true } else { false }
        return CordonMapping(start: mapping.range.start, end: mapping.range.end, inode: isFile ? 1 : 0)
      }
  }

  /// Where the kernel would put a mapping of so many bytes: beyond all that is mapped, if it fits nowhere else.
  private static func placement(of size: UInt64) -> UInt64? {
    let flags = 0x02 | 0x20 | 0x4000  // MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE
    let found = cordon_gate_call(9, 0, Int(size), 0, flags, -1, 0)
    guard found > 0 else { return nil }
    _ = cordon_gate_call(11, found, Int(size), 0, 0, 0, 0)
    return UInt64(found)
  }
}
