import AgentInterface
package import FilterCompiler

/// The filters that a tree of processes is under for life. They name nothing but the agent's pages and the arena, so they
/// fit every program that is executed under them, wherever its code comes to lie.
package struct TreeFilters: Sendable {
  /// Has the launcher asked before a program is executed, whatever calls and however. This is the one with a listener.
  package let first: Program
  /// Attached after it, where it does not say all: each filter costs every call a few nanoseconds.
  package let second: Program?

  /// All of them, in the order in which they are attached.
  package var stack: FilterStack { FilterStack([first] + (second.map { [$0] } ?? [])) }

  /// For syscall user dispatch: no filter that traps.
  /// - Parameter endsThreads: whether agents end threads and processes by a call, CORDON_KILL_CALL.
  package static func forDispatch(endsThreads: Bool = false) -> TreeFilters {
    TreeFilters(first: asking(endsThreads: endsThreads), second: nil)
  }

  private init(first: Program, second: Program?) {
    self.first = first
    self.second = second
  }

  /// Filters that trap all calls, but for those of `enforced` regions, of which they dispose themselves.
  ///
  /// - Parameters:
  ///   - exempt: where calls always pass; the upper halves of both ends are the same.
  ///   - endsThreads: whether agents end threads and processes by a call, CORDON_KILL_CALL.
  package init(
    exempt: AddressRange, enforced: [RegionMap.Region] = [], endsThreads: Bool = false
  ) throws(CompileError) {
    guard !enforced.isEmpty || endsThreads else {
      self.init(first: Self.trappingAll(but: exempt), second: nil)
      return
    }
    var map = RegionMap(default: .trap(data: Self.trap.data))
    do {
      for region in enforced { try map.insert(region.range, region.disposition) }
    } catch { throw .gate(error) }
    self.init(
      first: Self.asking(endsThreads: endsThreads),
      second: Self.allowingBirths(at: exempt.start, try map.compile(CompileOptions(gate: exempt))))
  }

  /// A filter that lets the calls happen by which a program gets its agent, and does with all others what `program` does.
  package static func allowingBirths(at base: UInt64, _ program: Program) -> Program {
    var listing = FilterListing()
    appendBirth(at: base, asking: .allow, else: .rest, to: &listing)
    listing.mark(.allow)
    listing.answer(Action(.allow))
    listing.mark(.rest)
    return Program(emitted: listing.laidOut() + program.instructions)
  }

  /// Filters that trap what calls from the arena, and from elsewhere the calls of ``guardedCalls``.
  ///
  /// - Parameters:
  ///   - exempt: where calls always pass; the upper halves of both ends are the same.
  ///   - arena: 4 GiB that start at a multiple of 4 GiB, above `exempt`.
  package init(exempt: AddressRange, arena: AddressRange) {
    self.init(first: Self.trapping(arena, but: exempt), second: nil)
  }

  private static let trap = Action(.trap, data: UInt16(CORDON_AGENT_TRAP_DATA))

  /// Calls that trap wherever they come from: those by which other code could block SIGSYS or take its handler away, after
  /// which the next trap would be the program's end; those that execute a program, or have to do with who traces it; and
  /// mmap, by which modules come.
  package static let guardedCalls: [UInt32] = [
    9,  // mmap
    13, 14, 130, 131,  // rt_sigaction, rt_sigprocmask, rt_sigsuspend, sigaltstack
    59, 322,  // execve, execveat
    61, 101,  // wait4, ptrace: what tracers do
    62, 200, 234,  // kill, tkill, tgkill: how a child that has asked to be traced stops itself
    270, 271, 281, 333, 426, 441,  // pselect6, ppoll, epoll_pwait, io_pgetevents, io_uring_enter, epoll_pwait2
    435,  // clone3, which can clear handlers
  ]

  /// execve and execveat by every way into the kernel; x32's have bit 30 set and numbers of their own.
  private static let executing: [UInt32] = [59, 322, 0x4000_0000 | 520, 0x4000_0000 | 545]
  private static let executing32: [UInt32] = [11, 358]
}

// MARK: - Listings

extension TreeFilters {
  /// Decides by number alone, so that the kernel keeps its answers in its bitmap of allowed calls, but for the call by which
  /// agents end threads and processes.
  private static func asking(endsThreads: Bool) -> Program {
    var listing = FilterListing()
    append64BitCalls(notifying: executing, trapping: [], ending: endsThreads, to: &listing)
    append32BitCalls(to: &listing)
    if endsThreads { appendEndings(to: &listing) }
    appendAnswers(to: &listing)
    return listing.program()
  }

  private static func trappingAll(but exempt: AddressRange) -> Program {
    var listing = FilterListing()
    listing.load(.pointerHigh)
    listing.test(.isEqual, exempt.start.upperHalf, .next, else: .birth)
    appendExemption(of: exempt, else: .birth, to: &listing)
    append64BitCalls(notifying: executing, trapping: [], to: &listing)
    appendEnd(birthAt: exempt.start, to: &listing)
    return listing.program()
  }

  private static func trapping(_ arena: AddressRange, but exempt: AddressRange) -> Program {
    var listing = FilterListing()
    listing.load(.pointerHigh)
    listing.test(.isEqual, exempt.start.upperHalf, .exempt)
    listing.test(.isEqual, arena.start.upperHalf, .arena)
    listing.test(.isEqual, arena.end.upperHalf, .next, else: .elsewhere)
    listing.load(.pointerLow)
    listing.test(.isEqual, 0, .birth, else: .elsewhere)
    listing.mark(.arena)
    listing.load(.pointerLow)
    listing.test(.isAtLeast, UInt32(Architecture.x86_64.instructionLength), .birth, else: .elsewhere)
    listing.mark(.exempt)
    appendExemption(of: exempt, else: .elsewhere, to: &listing)
    append64BitCalls(notifying: executing, trapping: [], to: &listing)
    listing.mark(.elsewhere)
    append64BitCalls(notifying: executing, trapping: guardedCalls, to: &listing)
    appendEnd(birthAt: exempt.start, to: &listing)
    return listing.program()
  }

  /// What is left of a filter that traps, behind the calls of 64 bits.
  private static func appendEnd(birthAt start: UInt64, to listing: inout FilterListing) {
    append32BitCalls(to: &listing)
    listing.answer(Action(.allow))
    listing.mark(.birth)
    appendBirth(at: start, asking: .notify, else: .trap, to: &listing)
    appendAnswers(to: &listing)
  }

  /// Goes on at the next instruction for calls of the range, whose upper half has been found already. The kernel reports the
  /// address behind an instruction.
  private static func appendExemption(
    of range: AddressRange, else other: FilterListing.Label, to listing: inout FilterListing
  ) {
    let first = range.start + Architecture.x86_64.instructionLength
    listing.load(.pointerLow)
    listing.test(.isAtLeast, UInt32(truncatingIfNeeded: first), .next, else: other)
    listing.test(.isGreater, UInt32(truncatingIfNeeded: range.end), other)
  }

  private static func append64BitCalls(
    notifying notified: [UInt32], trapping trapped: [UInt32], ending: Bool = false, to listing: inout FilterListing
  ) {
    listing.load(.architecture)
    listing.test(.isEqual, AuditArchitecture.x86_64.rawValue, .next, else: .foreign)
    listing.load(.number)
    for number in trapped { listing.test(.isEqual, number, .birth) }
    for number in notified where !trapped.contains(number) { listing.test(.isEqual, number, .notify) }
    if ending { listing.test(.isEqual, UInt32(CORDON_KILL_CALL), .ending) }
    listing.answer(Action(.allow))
  }

  /// The calls by which a program gets its agent, before there is an agent that could make them: known by their first
  /// argument, the base. Its mmap never replaces anything.
  private static func appendBirth(
    at base: UInt64, asking: FilterListing.Label, else other: FilterListing.Label, to listing: inout FilterListing
  ) {
    listing.load(.argumentLow)
    listing.test(.isEqual, UInt32(truncatingIfNeeded: base), .next, else: other)
    listing.load(.argumentHigh)
    listing.test(.isEqual, base.upperHalf, .next, else: other)
    listing.load(.architecture)
    listing.test(.isEqual, AuditArchitecture.x86_64.rawValue, .next, else: other)
    listing.load(.number)
    for number in executing { listing.test(.isEqual, number, asking) }
    listing.test(.isEqual, 9, .next, else: other)  // mmap
    listing.load(.fourthArgumentLow)
    listing.test(.isEqual, UInt32(CORDON_BIRTH_FLAGS), .allow, else: other)
  }

  /// Of the architecture that was loaded last.
  private static func append32BitCalls(to listing: inout FilterListing) {
    listing.mark(.foreign)
    listing.test(.isEqual, AuditArchitecture.i386.rawValue, .next, else: .allow)
    listing.load(.number)
    for number in executing32 { listing.test(.isEqual, number, .notify) }
  }

  private static func appendEndings(to listing: inout FilterListing) {
    listing.answer(Action(.allow))
    listing.mark(.ending)
    listing.load(.argumentLow)
    listing.test(.isEqual, UInt32(CORDON_KILL_PROCESS), .killProcess)
    listing.test(.isEqual, UInt32(CORDON_KILL_THREAD), .next, else: .allow)
    listing.answer(Action(.killThread))
    listing.mark(.killProcess)
    listing.answer(Action(.killProcess))
  }

  private static func appendAnswers(to listing: inout FilterListing) {
    listing.mark(.allow)
    listing.answer(Action(.allow))
    listing.mark(.notify)
    listing.answer(Action(.notify))
    listing.mark(.trap)
    listing.answer(trap)
  }
}

extension UInt64 {
  fileprivate var upperHalf: UInt32 { UInt32(self >> 32) }
}
