import AgentInterface
package import FilterCompiler

/// The filters that a tree of processes is under for life. They name nothing but the agent's pages, so they fit every
/// program that is executed under them, wherever its code comes to lie.
package struct TreeFilters: Sendable {
  /// Has the launcher asked before a program is executed, whatever calls and however. This is the one with a listener.
  package let execution: Program
  /// Traps calls; those from the agent's pages pass. nil where syscall user dispatch traps instead.
  package let trapping: Program?

  /// Filters for syscall user dispatch: none that traps.
  package static let forDispatch = TreeFilters()

  private init() {
    execution = Self.asking(before: Self.executingCalls)
    trapping = nil
  }

  /// Filters that trap all calls, but for those of `enforced` regions, of which they dispose themselves.
  package init(exempt: AddressRange, enforced: [RegionMap.Region] = []) throws(CompileError) {
    execution = Self.asking(before: Self.executingCalls)
    var map = RegionMap(default: .trap(data: Self.data))
    do {
      for region in enforced { try map.insert(region.range, region.disposition) }
    } catch { throw .gate(error) }
    trapping = try map.compile(CompileOptions(gate: exempt))
  }

  /// Filters that trap what calls from the arena, and from elsewhere the calls of ``guardedCalls``.
  package init(exempt: AddressRange, arena: AddressRange) throws(CompileError) {
    execution = Self.asking(before: Self.executingCalls)
    var map = RegionMap(default: .allow)
    do {
      try map.insert(arena, .trap(data: Self.data))
      // What lies between the agent and the arena is nobody's.
      if exempt.end < arena.start { try map.insertDontCare(AddressRange(start: exempt.end, end: arena.start)) }
    } catch { throw .gate(error) }
    trapping = try map.compile(
      CompileOptions(gate: exempt, globalTrapNumbers: Self.guardedCalls, trapData: Self.data))
  }

  private static let data = UInt16(CORDON_AGENT_TRAP_DATA)

  /// Calls that trap wherever they come from: those by which other code could block SIGSYS or take its handler away, after
  /// which the next trap would be the program's end; those that execute a program; and mmap, by which modules come.
  static let guardedCalls: [UInt32] = [
    9,  // mmap
    13, 14, 130, 131,  // rt_sigaction, rt_sigprocmask, rt_sigsuspend, sigaltstack
    59, 322,  // execve, execveat
    270, 271, 281, 333, 426, 441,  // pselect6, ppoll, epoll_pwait, io_pgetevents, io_uring_enter, epoll_pwait2
    435,  // clone3, which can clear handlers
  ]

  /// execve and execveat by every way into the kernel; x32's have bit 30 set and numbers of their own.
  static let executingCalls: [(AuditArchitecture, [UInt32])] = [
    (.x86_64, [59, 322, 0x4000_0000 | 520, 0x4000_0000 | 545]), (.i386, [11, 358]),
  ]

  /// A filter that decides by number alone, so that the kernel keeps its answers in its bitmap of allowed calls, but for
  /// the call by which agents end threads and processes.
  private static func asking(before calls: [(AuditArchitecture, [UInt32])]) -> Program {
    let (number, architecture, argument) = (UInt32(0), UInt32(4), UInt32(16))  // offsets in struct seccomp_data
    func load(_ offset: UInt32) -> Instruction { Instruction(code: 0x20, jt: 0, jf: 0, k: offset) }
    func answer(_ action: Action) -> Instruction { Instruction(code: 0x06, jt: 0, jf: 0, k: action.rawValue) }
    func isEqual(_ value: UInt32, else skipped: Int) -> Instruction {
      Instruction(code: 0x15, jt: 0, jf: UInt8(skipped), k: value)
    }
    var instructions = [load(architecture)]
    let killing = [
      isEqual(UInt32(CORDON_KILL_CALL), else: 5), load(argument),
      isEqual(UInt32(CORDON_KILL_THREAD), else: 1), answer(Action(.killThread)),
      isEqual(UInt32(CORDON_KILL_PROCESS), else: 1), answer(Action(.killProcess)),
    ]
    for (architecture, numbers) in calls {
      let endings = architecture == .x86_64 ? killing : []
      instructions += [isEqual(architecture.rawValue, else: 2 * numbers.count + endings.count + 2), load(number)]
      for number in numbers { instructions += [isEqual(number, else: 1), answer(Action(.notify))] }
      instructions += endings + [answer(Action(.allow))]
    }
    instructions.append(answer(Action(.allow)))
    return Program(checked: instructions)
  }
}

extension Program {
  /// A program that is known to be valid.
  fileprivate init(checked instructions: [Instruction]) {
    do { self = try Program(instructions) } catch { preconditionFailure("\(error)") }
  }
}
