import AgentInterface
import FilterCompiler
import Glibc
import LauncherShims
import SystemPackage

/// Where the agent lies in every program of one tree of processes: a base of its own for each tree, since the filters that
/// name it are inherited, and nothing that a stranger could guess.
struct AgentPlace: ~Copyable {
  let base: UInt64
  fileprivate let image: AgentImage
  fileprivate let duties: AgentDuties
  /// What every program of the tree maps at the base.
  private let file: MemoryFile

  /// Above what a program of fixed address uses and sanitizers' shadows, below where the kernel puts position-independent
  /// programs and bottom-up layouts, and below where the library's arenas go.
  private static let zone: Range<UInt64> = 0x1008_0000_0000..<0x1100_0000_0000

  /// Maps the agent in this process too, at a random base: the child that becomes the program calls from there.
  init(_ image: AgentImage, duties: AgentDuties) throws(LaunchError) {
    do {
      let file = try MemoryFile(size: AgentImage.span)
      let memory = try Self.map(file)
      let base = UInt64(UInt(bitPattern: memory))
      try image.write(
        to: file, supervisor: getpid(), duties: duties.rawValue, arena: Self.arena(base, duties), inherited: 0)
      try file.seal()
      self.init(base: base, image: image, duties: duties, file: file)
    } catch {
      throw .machine(
        "the agent cannot be made executable: \(error)",
        remedy: error.remedyForDescriptors
          ?? "see `ulimit -f`, `ulimit -v` and `sysctl vm.memfd_noexec`, which must not be 2")
    }
  }

  private init(base: UInt64, image: AgentImage, duties: AgentDuties, file: consuming MemoryFile) {
    self.base = base
    self.image = image
    self.duties = duties
    self.file = file
  }

  private static func map(_ file: borrowing MemoryFile) throws(Errno) -> UnsafeMutableRawPointer {
    var error = Errno.fileExists
    for _ in 0..<16 {
      let base = UInt64.random(in: zone) & ~(UInt64(CORDON_AGENT_SPAN) - 1)
      do { return try file.map(at: base) } catch let refusal { error = refusal }
    }
    throw error
  }

  deinit { munmap(UnsafeMutableRawPointer(bitPattern: UInt(base)), AgentImage.span) }

  /// The address of the call that filters exempt.
  var call: UInt64 { base + image.call }

  /// The address of the function that executes a program by way of ``LoaderFile``.
  var load: UInt64 { base + image.load }

  /// Whether the agent's own code, or this process before it became the program, has made a call that returns to `address`.
  func hasCalled(_ address: UInt64) -> Bool {
    address > base && address <= base + UInt64(AgentImage.length)
  }
}

extension AgentPlace {
  /// Where modules go that are to be trapped, where only such trap: a block of its own above the agent, aligned so that one
  /// comparison decides for it.
  var arena: AddressRange? { Self.arena(base, duties) }

  fileprivate static func arena(_ base: UInt64, _ duties: AgentDuties) -> AddressRange? {
    guard duties.contains(.places) else { return nil }
    let size: UInt64 = 1 << 32
    let start = (base + UInt64(CORDON_AGENT_SPAN) + size - 1) & ~(size - 1)
    return try? AddressRange(start: start, end: start + size)
  }

  /// The filters that exempt the agent.
  /// - Parameter profile: what becomes of calls; of some regions the filter disposes by itself, whatever becomes of the agent.
  func filters(_ profile: RunProfile?) throws(LaunchError) -> TreeFilters {
    let endsThreads = profile != nil
    if duties.contains(.dispatches) { return .forDispatch(endsThreads: endsThreads) }
    do {
      let exempt = try AgentImage.exemptRange(base: base)
      guard let arena else {
        return try TreeFilters(exempt: exempt, enforced: profile?.enforced ?? [], endsThreads: endsThreads)
      }
      return TreeFilters(exempt: exempt, arena: arena)
    } catch {
      throw .machine("no filter can be made: \(error)", remedy: nil)
    }
  }

  /// Has a program begin with the code that maps the agent: one that is stopped where it was executed, before its first
  /// instruction. See AgentInterface.h.
  /// - Parameters:
  ///   - registers: the program's.
  ///   - number: of the call that executed it.
  ///   - inherited: what of SIGSYS the program has from the one before it.
  /// - Returns: the registers to go on with; nil where the code cannot be written.
  func beginning(
    of process: Int32, _ registers: CordonThreadRegisters, number: Int32, inherited: UInt64
  ) -> CordonThreadRegisters? {
    let stack = registers.rsp
    guard let start = image.withBirth({ KernelCode.write($0, into: process, stack: stack) }) else { return nil }
    var birth = registers
    birth.rip = start
    birth.original_rax = .max
    birth.rdi = base
    (birth.rsi, birth.rdx, birth.r10, birth.r8, birth.r9) = (0, 0, 0, 0, 0)
    birth.rbx = registers.rip
    birth.rbp = inherited
    birth.r12 = UInt64(UInt32(bitPattern: number))
    birth.r13 = base + image.start
    birth.r15 = UInt64(AgentImage.span)
    return birth
  }

  /// Whether the call is that of a program's birth.
  func isBirth(_ notification: CordonNotification) -> Bool { notification.arguments.0 == base }

  /// Answers it.
  func give(to notification: CordonNotification, _ listener: borrowing Listener) throws(Errno) {
    try listener.give(notification, file.descriptor)
  }

  /// The file to execute in the place of a program whose thread cannot be traced.
  func loaderFile(inherited: UInt64) throws(Errno) -> LoaderFile {
    try LoaderFile(base: base, start: base + image.loaded) { (file, offset) throws(Errno) in
      try image.write(
        to: file, at: offset, supervisor: getpid(), duties: duties.rawValue, arena: arena, inherited: inherited)
    }
  }
}
