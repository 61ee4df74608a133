import AgentInterface
import CordonLauncher
import FilterCompiler
import Testing

/// The filters that every program of a tree inherits: they name nothing but the agent's own pages.
@Suite struct TreeFiltersTests {
  private static let base: UInt64 = 0x1010_2300_0000
  private static let data: UInt16 = 0xc04d
  private let arena: AddressRange
  private let exempt: AddressRange
  private let stack: FilterStack

  init() throws {
    exempt = try AgentImage.exemptRange(base: Self.base)
    arena = try AddressRange(start: 0x1011_0000_0000, end: 0x1012_0000_0000)
    stack = try TreeFilters(exempt: exempt).stack
  }

  private func verdict(_ number: UInt32, _ architecture: AuditArchitecture, from pointer: UInt64) -> Action.Kind? {
    stack.evaluate(
      SeccompData(nr: number, arch: architecture, instructionPointer: pointer)
    ).action.kind
  }

  @Test func everyCallTrapsButTheAgentsOwn() {
    for pointer in [0x401002, 0x7f12_3456_0002, exempt.start + 1, exempt.end + 1, UInt64.max] {
      #expect(verdict(39, .x86_64, from: pointer) == .trap)
      #expect(verdict(20, .i386, from: pointer) == .trap)
    }
    for pointer in [exempt.start + 2, exempt.end] {
      #expect(verdict(39, .x86_64, from: pointer) == .allow)
      #expect(verdict(20, .i386, from: pointer) == .allow)
    }
  }

  @Test(
    arguments: [
      (59, AuditArchitecture.x86_64), (322, .x86_64), (0x4000_0208, .x86_64), (0x4000_0221, .x86_64), (11, .i386),
      (358, .i386),
    ] as [(UInt32, AuditArchitecture)])
  func noProgramIsExecutedUnasked(_ number: UInt32, _ architecture: AuditArchitecture) {
    #expect(verdict(number, architecture, from: exempt.start + 2) == .notify)
    #expect(verdict(number, architecture, from: 0x401002) == .trap)
  }

  @Test func deniedRangesAreDeniedByTheFilterItself() throws {
    let denied = try AddressRange(start: 0x401000, end: 0x402000)
    var map = RegionMap(default: .allow)
    try map.insert(denied, .errno(13))
    let stack = try TreeFilters(exempt: exempt, enforced: map.regions).stack
    let inside = stack.evaluate(SeccompData(nr: 39, instructionPointer: denied.start + 2)).action
    #expect(inside.kind == .errno && inside.data == 13)
    #expect(stack.evaluate(SeccompData(nr: 39, instructionPointer: denied.end + 2)).action.kind == .trap)
  }

  @Test func onlyTheArenaTrapsAndWhatCouldBlockTheTrap() throws {
    let stack = TreeFilters(exempt: exempt, arena: arena).stack
    func kind(_ number: UInt32, _ pointer: UInt64) -> Action.Kind? {
      stack.evaluate(SeccompData(nr: number, instructionPointer: pointer)).action.kind
    }
    #expect(kind(39, arena.start + 2) == .trap && kind(39, arena.end) == .trap)
    #expect(kind(39, 0x401002) == .allow && kind(39, 0x7f12_3456_7890) == .allow)
    for number in [9, 13, 14, 59] as [UInt32] {
      #expect(kind(number, 0x401002) == .trap)
      #expect(kind(number, exempt.start + 2) == (number == 59 ? .notify : .allow))
    }
  }

  /// What is written down instruction by instruction is what the compiler would make of it, but for the calls by which a
  /// program gets its agent.
  @Test func whatIsWrittenDownIsProved() throws {
    let all = try RegionMap(default: .trap(data: Self.data)).compile(CompileOptions(gate: exempt))
    #expect(try Prover.difference(stack, allowingBirths(all)) == nil)

    var map = RegionMap(default: .allow)
    try map.insert(arena, .trap(data: Self.data))
    let placing = try map.compile(
      CompileOptions(gate: exempt, globalTrapNumbers: TreeFilters.guardedCalls, trapData: Self.data))
    let stack = TreeFilters(exempt: exempt, arena: arena).stack
    #expect(try Prover.difference(stack, allowingBirths(placing)) == nil)
    #expect(stack.programs.count == 1 && self.stack.programs.count == 1)
  }

  private func allowingBirths(_ program: Program) -> FilterStack {
    FilterStack([TreeFilters.forDispatch().first, TreeFilters.allowingBirths(at: Self.base, program)])
  }

  /// A program that has no agent yet may ask for it and map it, from anywhere and nothing else; with filters of every kind.
  @Test func aProgramGetsItsAgent() throws {
    let everywhere = try AddressRange(start: 0x1000, end: 0x7fff_ffff_f000)
    var denying = RegionMap(default: .allow)
    try denying.insert(everywhere, .errno(13))
    for filters in [
      try TreeFilters(exempt: exempt), TreeFilters(exempt: exempt, arena: arena),
      try TreeFilters(exempt: exempt, enforced: denying.regions),
      try TreeFilters(exempt: exempt, endsThreads: true), .forDispatch(),
    ] {
      func kind(
        _ number: UInt32, _ base: UInt64, flags: UInt64 = UInt64(CORDON_BIRTH_FLAGS),
        _ architecture: AuditArchitecture = .x86_64
      ) -> Action.Kind? {
        var call = SeccompData(nr: number, arch: architecture, instructionPointer: 0x7ffd_1234_5a52)
        call.arguments[0] = base
        call.arguments[3] = flags
        return filters.stack.evaluate(call).action.kind
      }
      for number in [59, 322, 0x4000_0208, 0x4000_0221] as [UInt32] { #expect(kind(number, Self.base) == .notify) }
      #expect(kind(9, Self.base) == .allow)
      guard filters.stack != TreeFilters.forDispatch().stack else { continue }
      for other in [0, Self.base + 1, Self.base + 1 << 32] {
        #expect(kind(59, other) != .notify && kind(9, other) != .allow)
      }
      #expect(kind(9, Self.base, flags: UInt64(CORDON_BIRTH_FLAGS) | 0x10) != .allow, "MAP_FIXED replaces")
    }
    #expect(verdict(9, .i386, from: 0x401002) == .trap)
  }

  /// The agent's call for it is answered as its profile has it, and no other is.
  @Test func agentsEndThreadsAndProcesses() throws {
    for filters in [
      TreeFilters.forDispatch(endsThreads: true), try TreeFilters(exempt: exempt, endsThreads: true),
    ] {
      func kind(_ number: UInt32, _ argument: UInt64, _ architecture: AuditArchitecture = .x86_64) -> Action.Kind? {
        var call = SeccompData(nr: number, arch: architecture, instructionPointer: exempt.end)
        call.arguments[0] = argument
        return filters.stack.evaluate(call).action.kind
      }
      #expect(kind(UInt32(CORDON_KILL_CALL), UInt64(CORDON_KILL_THREAD)) == .killThread)
      #expect(kind(UInt32(CORDON_KILL_CALL), UInt64(CORDON_KILL_PROCESS)) == .killProcess)
      #expect(kind(UInt32(CORDON_KILL_CALL), 0) == .allow && kind(39, UInt64(CORDON_KILL_THREAD)) == .allow)
      #expect(kind(UInt32(CORDON_KILL_CALL), UInt64(CORDON_KILL_THREAD), .i386) == .allow)
      #expect(kind(59, 0) == .notify && kind(11, 0, .i386) == .notify)
    }
  }

  @Test func theAgentIsSmall() {
    let image = AgentImage()
    // Where it is optimised, the linker script sees to the limit of 32 KiB.
    #expect(image.size > 4096 && image.size < Int(CORDON_AGENT_IMAGE_LIMIT))
  }
}
