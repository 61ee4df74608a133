import CordonShims
import FilterCompiler
import TrapEngine

/// What of a process's address space decides where a filter may trap more than it must.
package struct AddressSpaceView: Sendable, Hashable {
  /// Instruction pointers of code that is mapped now.
  package var code: IntervalSet
  /// The part of that which files have: programs and libraries, and not what a program makes for itself.
  package var files: IntervalSet
  /// Instruction pointers of what the kernel is going to map next: where libraries and stacks of threads will lie.
  package var next: IntervalSet
  /// The part of that which is next in turn, with what is mapped beside it: the next ``nearestSize`` bytes fit there.
  package var nearest: IntervalSet

  package init(code: IntervalSet, files: IntervalSet, next: IntervalSet, nearest: IntervalSet) {
    self.code = code
    self.files = files
    self.next = next
    self.nearest = nearest
  }

  /// How far below what is mapped now (above, in the old layout) the kernel is expected to get.
  private static let nextSize: UInt64 = 3 << 30
  /// Some large libraries, or some hundred small ones; the kernel takes the first gap that is large enough.
  private static let nearestSize: UInt64 = 128 << 20
  /// More than a dynamic linker takes.
  private static let linkerRoom: UInt64 = 16 << 20

  /// This process, now. Takes some microseconds (Linux 6.11 and later; before that a reading of /proc/self/maps).
  static func current() -> AddressSpaceView {
    let mappings = mappings()
    // Any instruction that has a byte there.
    func pointers(_ mapping: CordonMapping) -> IntervalSet.Interval {
      IntervalSet.Interval(mapping.start + 1, mapping.end + 1)
    }
    return AddressSpaceView(
      code: IntervalSet(mappings.map(pointers)), files: IntervalSet(mappings.filter { $0.inode != 0 }.map(pointers)),
      next: IntervalSet([room(for: nextSize)]), nearest: IntervalSet([room(for: nearestSize)]))
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

  /// The executable mappings below the end of user space.
  private static func mappings() -> [CordonMapping] {
    let capacity = 1 << 16
    var found = withUnsafeTemporaryAllocation(of: CordonMapping.self, capacity: 256) { buffer -> [CordonMapping]? in
      let count = cordon_executable_mappings(buffer.baseAddress, Int(buffer.count))
      return count < 0 || count == buffer.count ? nil : Array(buffer[..<count])
    }
    if found == nil {
      // More than usual: on the heap.
      let many = [CordonMapping](unsafeUninitializedCapacity: capacity) { buffer, count in
        count = max(cordon_executable_mappings(buffer.baseAddress, capacity), 0)
      }
      if !many.isEmpty { found = many }
    }
    if let found { return found }
    let read = (try? ProcessMap())?.mappings ?? []
    return read.filter { $0.isExecutable && $0.range.end <= Architecture.x86_64.userSpaceEnd }
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
