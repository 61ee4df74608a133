import FilterCompiler
import SystemPackage
import TrapEngine

/// The memory-map RFC's own interface (May 2020): PROT_NOSYSCALL in raw mmap(2) and mprotect(2), and the seccomp operation
/// and prctl mode that have it count. What is refused is refused as the kernel does it for the same call without the mark.
extension Session {
  /// What the engine hands such calls to; the context is the session, which lives as long as the process.
  static let memoryHook: CordonMemoryHook = { trap, context in
    guard let trap, let context else { return Int.min }  // CORDON_NOT_ANSWERED
    let call = MemoryCall(trap.pointee)
    return Unmanaged<Session>.fromOpaque(context)._withUnsafeGuaranteedRef { session in
      do throws(SessionError) {
        return try session.state.withLock { state throws(SessionError) in try state.answer(call) ?? Int.min }
      } catch {
        return MemoryCall.failure(error)
      }
    }
  }

  /// A trapped call is the program's own SIGSYS handler's business, as the RFC has it: for sessions without another hook.
  static let signalHook = TrapHook(function: { _, _ in Verdict.signal.engineVerdict })
}

extension Session.State {
  /// The call's result, once it has been made and followed; nil: it is to happen as it is.
  mutating func answer(_ call: MemoryCall) throws(SessionError) -> Int? {
    switch call.number {
    case MemoryCall.Number.mmap: return try map(call)
    case MemoryCall.Number.mprotect, MemoryCall.Number.pkeyMprotect: return try protect(call)
    case MemoryCall.Number.munmap: return try unmap(call)
    case MemoryCall.Number.mremap: return try remap(call)
    case MemoryCall.Number.brk: return try setBreak(call)
    case MemoryCall.Number.shmat: return try attachSegment(call)
    case MemoryCall.Number.shmdt: return try detachSegment(call)
    case MemoryCall.Number.remapFilePages: return try remapFile(call)
    case MemoryCall.Number.seccomp:
      let synchronizes = call.int(1) & 1 != 0  // SECCOMP_FILTER_FLAG_TSYNC
      if synchronizes || call.arguments[2] != 0 { return -Int(Errno.invalidArgument.rawValue) }
      try switchOn()
      return 0
    case MemoryCall.Number.prctl:
      guard call.int(0) == 22 else { return marksCount ? 3 : nil }  // PR_GET_SECCOMP: SECCOMP_MODE_MEMMAP
      try switchOn()
      return 0
    default: return nil
    }
  }

  /// Has calls from marked memory trap, from now on.
  private mutating func switchOn() throws(SessionError) {
    guard !marksCount else { return }
    var change = SessionChange()
    for region in store.regions where marks.contains(region.serial) { change.set(.trap, of: region) }
    if !change.operations.isEmpty { _ = try make(change.operations) }
    marksCount = true
  }

  private mutating func protect(_ call: MemoryCall) throws(SessionError) -> Int {
    guard let range = call.pages(0, 1) else { return call.make() }
    // mprotect(2) goes on to the first page that is not mapped.
    let reach = mappedPart(of: range)
    guard reach > 0 else { return isOwn(range) ? call.movedToNothing.make() : call.make() }
    guard reach == range.length else {
      let result = try protect(call.replacing((1, reach)))
      return result == 0 ? -Int(Errno.noMemory.rawValue) : result
    }
    let before = marks(near: range)
    if call.marks { try mark(range) } else { try prepareToUnmark(range) }
    let result = call.make()
    if result == 0 {
      if !call.marks { try unmark(range) }
      return 0
    }
    let line = range.start + call.protectedPages(of: range) * Arena.page
    if call.marks, let rest = try? AddressRange(start: line, end: range.end) {
      try restore(before, in: rest)
    } else if let done = try? AddressRange(start: range.start, end: line) {
      try unmark(done)
    }
    return result
  }

  /// Whether the arena has some of a range.
  private func isOwn(_ range: AddressRange) -> Bool { arena.map { $0.range.overlaps(range) } ?? false }

  /// How much of a range is mapped, from its start on, to the program: the arena's other pages are not.
  private func mappedPart(of range: AddressRange) -> UInt64 {
    guard let arena, arena.range.overlaps(range) else { return PageMapping.mappedPart(of: range) }
    guard let first = arena.taken(in: range).first, first.lowerBound == range.start else { return 0 }
    return UInt64(first.count)
  }

  private mutating func unmap(_ call: MemoryCall) throws(SessionError) -> Int {
    guard let range = call.pages(0, 1) else { return call.make() }
    try prepareToUnmark(range)
    if let arena, arena.range.overlaps(range) {
      // The session keeps the addresses; to the program nothing is mapped there.
      for outside in [(range.start, min(range.end, arena.range.start)), (max(range.start, arena.range.end), range.end)]
      where outside.0 < outside.1 {
        PageMapping.unmap(outside.0..<outside.1)
      }
      for pages in arena.taken(in: range) {
        let isCode = mapped.values.contains { $0.start < pages.upperBound && pages.lowerBound < $0.end }
        if isCode { try PageMapping.reserveAgain(pages) } else { try self.arena?.give(pages) }
      }
    } else {
      let result = call.make()
      if result != 0 { return result }
    }
    try unmark(range)
    return 0
  }

  private mutating func map(_ call: MemoryCall) throws(SessionError) -> Int {
    let (fixed, unreplacing): (UInt64, UInt64) = (0x10, 0x10_0000)  // MAP_FIXED, MAP_FIXED_NOREPLACE
    guard call.arguments[3] & (fixed | unreplacing) != 0 else { return try mapAnywhere(call) }
    guard let range = call.pages(0, 1) else { return call.make() }
    let replaces = call.arguments[3] & unreplacing == 0
    if let arena, arena.range.overlaps(range), !(replaces && arena.contains(range)) {
      return -Int(Errno.fileExists.rawValue)
    }
    let before = marks(near: range)
    // What replaces other memory may be run as soon as it is there.
    if call.marks, replaces { try mark(range) } else { try prepareToUnmark(range) }
    let result = try make(call, at: range)
    if MemoryCall.isFailure(result) {
      if call.marks, replaces { try restore(before, in: range) }
      return result
    }
    do throws(SessionError) {
      if !call.marks { try unmark(range) } else if !replaces { try mark(range) }
    } catch {
      PageMapping.unmap(range.start..<range.end)
      throw error
    }
    return result
  }

  /// Makes a call that maps something at a place, which may be in the arena.
  private mutating func make(_ call: MemoryCall, at place: AddressRange) throws(SessionError) -> Int {
    let taken = arena?.takeAll(in: place) ?? []
    let result = call.make()
    if MemoryCall.isFailure(result) {
      for pages in taken { try arena?.give(pages) }
    }
    return result
  }

  /// Memory that is to be marked, where the kernel may choose: in the arena, where that has room and the flags allow it.
  private mutating func mapAnywhere(_ call: MemoryCall) throws(SessionError) -> Int {
    let placed: UInt64 = 0x40 | 0x100 | 0x4_0000  // MAP_32BIT, MAP_GROWSDOWN, MAP_HUGETLB
    let size = call.arguments[1]
    if call.arguments[0] == 0, call.arguments[3] & placed == 0, size > 0, size < 1 << 32,
      let start = arena?.take(PageMapping.pages(Int(size))),
      let range = try? AddressRange(start: start, end: start + PageMapping.pages(Int(size)))
    {
      do throws(SessionError) {
        try mark(range)
      } catch {
        try? arena?.give(range.start..<range.end)
        throw error
      }
      let result = call.replacing((0, start), (3, call.arguments[3] | 0x10)).make()
      if MemoryCall.isFailure(result) {
        try unmark(range)
        try arena?.give(range.start..<range.end)
      }
      return result
    }
    let result = call.make()
    guard result > 0, let range = call.replacing((0, UInt64(result))).pages(0, 1) else { return result }
    do throws(SessionError) {
      try mark(range)
    } catch {
      PageMapping.unmap(range.start..<range.end)
      throw error
    }
    return result
  }

  /// A lower break unmaps what lies above it.
  private mutating func setBreak(_ call: MemoryCall) throws(SessionError) -> Int {
    let before = UInt64(bitPattern: Int64(cordon_gate_call(call.number, 0, 0, 0, 0, 0, 0)))
    let pages = { (address: UInt64) in (address + Arena.page - 1) & ~(Arena.page - 1) }
    guard call.arguments[0] < before,
      let gone = try? AddressRange(start: pages(call.arguments[0]), end: pages(before))
    else { return call.make() }
    // The break stays where it is; what brk(2) fails with is that.
    guard (try? prepareToUnmark(gone)) != nil else { return Int(before) }
    let result = call.make()
    if result < Int(before) { try unmark(gone) }
    return result
  }

  /// A segment of shared memory that replaces other memory.
  private mutating func attachSegment(_ call: MemoryCall) throws(SessionError) -> Int {
    guard let range = call.segmentPages else { return call.make() }
    if let arena, arena.range.overlaps(range), !arena.contains(range) { return -Int(Errno.invalidArgument.rawValue) }
    try prepareToUnmark(range)
    let result = try make(call, at: range)
    if !MemoryCall.isFailure(result) { try unmark(range) }
    return result
  }

  /// What is left of a segment is unmapped, as shmdt(2) finds it: by the address that it was attached at.
  private mutating func detachSegment(_ call: MemoryCall) throws(SessionError) -> Int {
    let address = call.arguments[0]
    let parts = ((try? ProcessMap())?.mappings ?? []).filter { mapping in
      mapping.isSegment && mapping.range.start >= address && mapping.range.start - address == mapping.fileOffset
    }
    if let first = parts.first, let last = parts.last {
      try prepareToUnmark(Self.range(first.range.start, last.range.end - first.range.start))
    }
    if let arena, let first = parts.first, arena.range.overlaps(first.range) {
      // The session keeps the addresses: they are taken from the segment, which leaves it as good as detached.
      for part in parts where arena.contains(part.range) { try self.arena?.give(part.range.start..<part.range.end) }
    } else {
      let result = call.make()
      if result != 0 { return result }
    }
    for part in parts { try unmark(part.range) }
    return 0
  }

  /// remap_file_pages(2) maps other pages of a file over some, without their mark; it rounds both ends down.
  private mutating func remapFile(_ call: MemoryCall) throws(SessionError) -> Int {
    let (start, size) = (call.arguments[0] & ~(Arena.page - 1), call.arguments[1] & ~(Arena.page - 1))
    guard let range = call.replacing((0, start), (1, size)).pages(0, 1) else { return call.make() }
    try prepareToUnmark(range)
    let result = call.make()
    if result == 0 { try unmark(range) }
    return result
  }

  private mutating func remap(_ call: MemoryCall) throws(SessionError) -> Int {
    let (mayMove, fixed, keeps): (UInt64, UInt64, UInt64) = (1, 2, 4)  // MREMAP_MAYMOVE, …FIXED, …DONTUNMAP
    let (flags, size) = (call.arguments[3], call.arguments[2])
    // From a length of 0 on, shared memory is mapped a second time: as much as is asked for, as its first page is marked.
    let isCopy = call.arguments[1] == 0
    guard let old = (isCopy ? call.replacing((1, 1)) : call).pages(0, 1),
      size > 0, size < Architecture.x86_64.userSpaceEnd, flags & ~(mayMove | fixed | keeps) == 0
    else { return call.make() }
    var call = call
    let keepsOld = flags & keeps != 0 || isCopy
    let length = PageMapping.pages(Int(size))
    if isOwn(old) {
      let there = mappedPart(of: old)
      // What is left of it need not be one piece.
      if there > 0, length < old.length, !keepsOld, flags & fixed == 0 {
        let result = try unmap(call.replacing((0, old.start + length), (1, old.length - length)))
        return result == 0 ? Int(old.start) : result
      }
      if there < old.length { call = call.movedToNothing }
      if there < old.length, flags & fixed == 0 { return call.make() }
    }
    if flags & fixed != 0 {
      guard let place = call.pages(4, 2) else { return call.make() }
      return try move(call, old, to: place, keepsOld: keepsOld)
    }
    if !keepsOld {
      let result = try resize(call, old, to: length)
      guard result == -Int(Errno.noMemory.rawValue), flags & mayMove != 0 else { return result }
    } else if flags & mayMove == 0 {
      return call.make()
    }
    let place = try reserve(length, inArena: !marks(near: old).isEmpty)
    let result: Int
    do throws(SessionError) {
      result = try move(call.replacing((3, flags | fixed), (4, place.start)), old, to: place, keepsOld: keepsOld)
    } catch {
      try? giveBack(place)
      throw error
    }
    if MemoryCall.isFailure(result) { try giveBack(place) }
    return result
  }

  /// Makes memory longer or shorter where it lies, with its mark; -ENOMEM where something else lies behind it.
  /// - Parameter length: in bytes, whole pages.
  private mutating func resize(
    _ call: MemoryCall, _ old: AddressRange, to length: UInt64
  ) throws(SessionError) -> Int {
    try prepareToUnmark(old)
    // The arena's next page is the session's, and as good as taken.
    if isOwn(old), length > old.length { return -Int(Errno.noMemory.rawValue) }
    let result = call.replacing((3, 0)).make()
    if MemoryCall.isFailure(result) { return result }
    if length < old.length {
      try unmark(AddressRange(checked: old.start + length, old.end))
    } else if length > old.length, isMarked(old.end) {
      do throws(SessionError) {
        try mark(AddressRange(checked: old.end, old.start + length))
      } catch {
        _ = call.replacing((1, length), (2, old.length), (3, 0)).make()
        throw error
      }
    }
    return result
  }

  /// Whether all of a mark's part of a range is mapped.
  private func isMapped(_ mark: Region, in range: AddressRange) -> Bool {
    let (start, end) = (max(mark.range.start, range.start), min(mark.range.end, range.end))
    guard let part = try? AddressRange(start: start, end: end) else { return true }
    return PageMapping.mappedPart(of: part) == part.length
  }

  /// Makes a call that moves memory to a place, with its marks.
  private mutating func move(
    _ call: MemoryCall, _ old: AddressRange, to place: AddressRange, keepsOld: Bool
  ) throws(SessionError) -> Int {
    if let arena, arena.range.overlaps(place), !arena.contains(place) { return -Int(Errno.invalidArgument.rawValue) }
    let moved = copies(of: old, at: place)
    let before = marks(near: place)
    do throws(SessionError) {
      for range in moved { try mark(range) }
      try prepareToUnmark(place, old)
    } catch {
      try? restore(before, in: place)
      throw error
    }
    let result = try make(call, at: place)
    if MemoryCall.isFailure(result) {
      // Where it lacks memory, mremap(2) has unmapped already what it was to replace.
      try restore(before.filter { isMapped($0, in: place) }, in: place)
      return result
    }
    // What was marked there and is not any more.
    try restore(moved, in: place)
    if !keepsOld {
      if let arena, arena.contains(old) { try self.arena?.give(old.start..<old.end) }
      try unmark(old)
    }
    return result
  }
}

extension AddressRange {
  /// A range between bounds that are known to be in order.
  fileprivate init(checked start: UInt64, _ end: UInt64) throws(SessionError) {
    do { self = try AddressRange(start: start, end: end) } catch { throw .region(error) }
  }
}
