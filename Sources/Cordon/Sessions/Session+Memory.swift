import FilterCompiler
import SystemPackage
import TrapEngine

/// Memory that is marked as making no system calls, as the memory-map RFC of 2020 has it: whole pages, marked and
/// unmarked in any parts. A call is marked where all of its instruction lies in marked memory; it goes to the session's
/// hook. fork(2) copies the marks; they count for the session's threads, and end with exec. In a session with
/// ``Options/memoryMapCalls`` they count once the program has switched that on.
extension Session {
  /// Maps fresh memory of zeros.
  ///
  /// What is marked comes to lie in the session's own block of addresses while that has room, and needs no filter then.
  /// - Parameters:
  ///   - length: in bytes; rounded up to whole pages.
  ///   - protection: With ``Protection/noSyscall`` its code never runs unmarked.
  /// - Throws: ``SessionError/memory(_:)``, and as ``change(_:)``.
  public func map(_ length: Int, _ protection: Protection) throws(SessionError) -> AddressRange {
    guard length > 0, length < 1 << 47 else { throw .memory(.invalidArgument) }
    return try state.withLock { state throws(SessionError) in
      let range = try state.reserve(PageMapping.pages(length), inArena: protection.contains(.noSyscall))
      do throws(SessionError) {
        try state.protect(range, protection)
      } catch {
        try? state.giveBack(range)
        throw error
      }
      return range
    }
  }

  /// Sets the protection of whole pages, which need not have been mapped by the session. Without
  /// ``Protection/noSyscall`` they are unmarked; a mapping of which a part changes is split, and equal neighbours join.
  /// - Throws: ``SessionError/memory(_:)``: with ENOMEM where not all of it is mapped, EINVAL where it is not whole pages;
  ///   ``SessionError/region(_:)`` where a region of another disposition lies there; and as ``change(_:)``.
  public func protect(_ range: AddressRange, _ protection: Protection) throws(SessionError) {
    try state.withLock { state throws(SessionError) in try state.protect(range, protection) }
  }

  /// Unmaps whole pages, and unmarks them.
  /// - Throws: ``SessionError/notMapped(_:)`` where a part of it lies in the session's block and is not mapped there, or is
  ///   the memory of ``mapExecutable(_:)``; ``SessionError/memory(_:)``; and as ``change(_:)``.
  public func unmap(_ range: AddressRange) throws(SessionError) {
    try state.withLock { state throws(SessionError) in
      try state.checkPages(range)
      try state.checkTaken(range)
      try state.prepareToUnmark(range)
      // Code that is unmarked must not run any more.
      try state.giveBack(range)
      try state.unmark(range)
    }
  }

  /// Makes a mapping longer or shorter, and moves it where that is necessary, with its marks; what is added is marked as
  /// its end was. No thread may be running there.
  /// - Parameter length: in bytes; rounded up to whole pages.
  /// - Returns: Where it lies now.
  /// - Throws: as ``unmap(_:)-(AddressRange)``.
  public func remap(_ range: AddressRange, to length: Int) throws(SessionError) -> AddressRange {
    guard length > 0, length < 1 << 47 else { throw .memory(.invalidArgument) }
    return try state.withLock { state throws(SessionError) in
      try state.checkPages(range)
      try state.checkTaken(range)
      return try state.remap(range, PageMapping.pages(length))
    }
  }
}

extension Session.State {
  fileprivate func checkPages(_ range: AddressRange) throws(SessionError) {
    guard range.start.isMultiple(of: Arena.page), range.end.isMultiple(of: Arena.page),
      range.end <= Architecture.x86_64.userSpaceEnd
    else { throw .memory(.invalidArgument) }
  }

  /// Pages of the arena must be in use, and not by a region that was mapped with its code.
  fileprivate func checkTaken(_ range: AddressRange) throws(SessionError) {
    if mapped.values.contains(where: range.overlaps) { throw .notMapped(range) }
    guard let arena, arena.range.overlaps(range) else { return }
    guard arena.contains(range), arena.isTaken(range.start..<range.end) else { throw .notMapped(range) }
  }

  /// Address space without access.
  mutating func reserve(_ size: UInt64, inArena: Bool) throws(SessionError) -> AddressRange {
    if inArena, usual == .allow {
      if arena == nil { arena = Arena() }
      if let start = arena?.take(size) { return try Self.range(start, size) }
    }
    do throws(Errno) {
      let start = try PageMapping.reserve(size, at: nil)
      guard let range = try? AddressRange(start: start, end: start + size) else { throw .noMemory }
      return range
    } catch { throw .memory(error) }
  }

  static func range(_ start: UInt64, _ size: UInt64) throws(SessionError) -> AddressRange {
    do { return try AddressRange(start: start, end: start + size) } catch { throw .region(error) }
  }

  mutating func giveBack(_ range: AddressRange) throws(SessionError) {
    if let arena, arena.contains(range) {
      try self.arena?.give(range.start..<range.end)
    } else {
      PageMapping.unmap(range.start..<range.end)
    }
  }

  /// Marks before the memory gets its protection, and unmarks after it has lost its own: never is it run unmarked.
  fileprivate mutating func protect(_ range: AddressRange, _ protection: Protection) throws(SessionError) {
    try checkPages(range)
    if let arena, arena.range.overlaps(range) { try checkTaken(range) }
    // A filter cannot be taken off: no mark where nothing is mapped.
    guard PageMapping.mappedPart(of: range) == range.length else { throw .memory(.noMemory) }
    let before = marks(near: range)
    if protection.contains(.noSyscall) { try mark(range) } else { try prepareToUnmark(range) }
    do throws(Errno) {
      try PageMapping.protect(range.start..<range.end, protection.kernelBits)
    } catch {
      if protection.contains(.noSyscall) { try replaceMarks(marks(near: range), by: before.map(\.range)) }
      throw .memory(error)
    }
    if !protection.contains(.noSyscall) { try unmark(range) }
  }

  /// The marked regions that have a byte of a range, or touch it.
  func marks(near range: AddressRange) -> [Region] {
    store.overlapping(max(range.start, 1) - 1, range.end + 1).compactMap { key in
      marks.contains(key.serial) ? store[key.index]?.region : nil
    }
  }

  /// Whether the page that ends at an address is marked.
  func isMarked(_ end: UInt64) -> Bool {
    store.overlapping(end - 1, end).contains { marks.contains($0.serial) }
  }

  /// What of a place is marked once memory has been moved there. What it is longer by is marked as its end was.
  func copies(of old: AddressRange, at place: AddressRange) -> [AddressRange] {
    marks(near: old).filter { $0.range.overlaps(old) }.compactMap { region in
      let start = max(region.range.start, old.start) - old.start + place.start
      let end = region.range.end >= old.end ? place.end : region.range.end - old.start + place.start
      return try? AddressRange(start: start, end: min(end, place.end))
    }
  }

  /// Has of a range what was marked before be marked, and nothing else.
  mutating func restore(_ before: [Region], in range: AddressRange) throws(SessionError) {
    try restore(
      before.compactMap { region in
        try? AddressRange(start: max(region.range.start, range.start), end: min(region.range.end, range.end))
      }, in: range)
  }

  /// Has these parts of a range be marked, and no others.
  mutating func restore(_ parts: [AddressRange], in range: AddressRange) throws(SessionError) {
    let old = marks(near: range)
    var wanted = IntervalSet(old.map { IntervalSet.Interval($0.range.start, $0.range.end - 1) })
      .subtracting(IntervalSet([IntervalSet.Interval(range.start, range.end - 1)]))
    wanted = wanted.union(IntervalSet(parts.map { IntervalSet.Interval($0.start, $0.end - 1) }))
    var ranges: [AddressRange] = []
    for interval in wanted.intervals {
      ranges.append(try Self.range(interval.first, interval.last - interval.first + 1))
    }
    try replaceMarks(old, by: ranges)
  }

  private mutating func replaceMarks(_ old: [Region], by new: [AddressRange]) throws(SessionError) {
    let present = Set(new)
    let same = Set(old.map(\.range)).intersection(present)
    var change = SessionChange()
    for region in old where !same.contains(region.range) { change.remove(region) }
    for range in new where !same.contains(range) { change.declare(range, marksCount ? .trap : .allow) }
    guard !change.operations.isEmpty else { return }
    let made = try make(change.operations)
    for region in old where !same.contains(region.range) { marks.remove(region.serial) }
    for region in made { marks.insert(region.serial) }
  }

  mutating func mark(_ range: AddressRange) throws(SessionError) {
    try follow(range)
    let old = marks(near: range)
    let start = old.map(\.range.start).min().map { min($0, range.start) } ?? range.start
    let end = old.map(\.range.end).max().map { max($0, range.end) } ?? range.end
    try replaceMarks(old, by: [Self.range(start, end - start)])
  }

  /// Has the calls trap that could unmark a range: before there is anything to unmark.
  private mutating func follow(_ range: AddressRange) throws(SessionError) {
    guard followsMemoryCalls, var active, !active.armament.globalTraps.followed.holds(range) else { return }
    try active.followMemoryEverywhere()
    self.active = active
  }

  /// Has the handler's table have what it takes to unmark ranges: for before the kernel is asked for what cannot be undone.
  /// - Throws: ``SessionError/memory(_:)``.
  func prepareToUnmark(_ ranges: AddressRange...) throws(SessionError) {
    let marks = ranges.reduce(0) { $0 + self.marks(near: $1).count }
    guard active != nil, marks > 0 else { return }
    // Each mark is taken out, and what is left of the first and the last one of a range is put back.
    let (more, steps) = (2 * ranges.count, UInt64(8))
    let result = cordon_table_prepare(UInt64(marks + more), steps, UInt64(store.indices + more))
    guard result == 0 else { throw .memory(Errno(rawValue: Int32(-result))) }
  }

  mutating func unmark(_ range: AddressRange) throws(SessionError) {
    let old = marks(near: range).filter { $0.range.overlaps(range) }
    var rest: [AddressRange] = []
    for region in old {
      if region.range.start < range.start {
        rest.append(try Self.range(region.range.start, range.start - region.range.start))
      }
      if region.range.end > range.end { rest.append(try Self.range(range.end, region.range.end - range.end)) }
    }
    try replaceMarks(old, by: rest)
  }

  fileprivate mutating func remap(_ range: AddressRange, _ size: UInt64) throws(SessionError) -> AddressRange {
    if size == range.length { return range }
    if size < range.length {
      let rest = try Self.range(range.start + size, range.length - size)
      try prepareToUnmark(rest)
      try giveBack(rest)
      try unmark(rest)
      return try Self.range(range.start, size)
    }
    let isMarked = marks(near: range).contains { $0.range.overlaps(range) }
    let new = try reserve(size, inArena: isMarked)
    do throws(SessionError) {
      for part in copies(of: range, at: new) { try mark(part) }
      try prepareToUnmark(range)
      do throws(Errno) {
        _ = try PageMapping.remap(range.start..<range.end, to: size, at: new.start, mayMove: true)
      } catch { throw .memory(error) }
    } catch {
      try? unmark(new)
      try? giveBack(new)
      throw error
    }
    // The kernel has unmapped it; in the arena nothing else may come to lie there.
    if let arena, arena.contains(range) { try self.arena?.give(range.start..<range.end) }
    try unmark(range)
    return new
  }
}
