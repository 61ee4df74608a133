import AgentInterface
import FilterCompiler
import Glibc
import SystemPackage

/// Where the agent lies in every program of one tree of processes: a base of its own for each tree, since the filters that
/// name it are inherited, and nothing that a stranger could guess.
struct AgentPlace: ~Copyable {
  let base: UInt64
  fileprivate let image: AgentImage
  fileprivate let duties: AgentDuties

  /// Above what a program of fixed address uses and sanitizers' shadows, below where the kernel puts position-independent
  /// programs and bottom-up layouts, and below where the library's arenas go.
  private static let zone: Range<UInt64> = 0x1008_0000_0000..<0x1100_0000_0000

  /// Maps the image in this process too, at a random base: the child that becomes the program calls from there.
  init(_ image: AgentImage, duties: AgentDuties) throws(LaunchError) {
    self.image = image
    self.duties = duties
    for _ in 0..<16 {
      let base = UInt64.random(in: Self.zone) & ~(UInt64(CORDON_AGENT_SPAN) - 1)
      if try Self.map(image, at: base) {
        self.base = base
        return
      }
    }
    throw .machine("no room for the agent", remedy: "raise the limit on address space (ulimit -v)")
  }

  deinit {
    munmap(UnsafeMutableRawPointer(bitPattern: UInt(base)), Int(CORDON_AGENT_IMAGE_LIMIT))
  }

  /// The address of the call that filters exempt.
  var call: UInt64 { base + image.call }

  /// The address of the function that executes a program by way of ``LoaderFile``.
  var load: UInt64 { base + image.load }

  /// Whether the agent's own code, or this process before it became the program, has made a call that returns to `address`.
  func hasCalled(_ address: UInt64) -> Bool {
    address > base && address <= base + UInt64(image.bytes.count)
  }

  private static func map(_ image: AgentImage, at base: UInt64) throws(LaunchError) -> Bool {
    let fixed: CInt = 0x100000  // MAP_FIXED_NOREPLACE, Linux 4.17; a mere hint before that
    let size = Int(CORDON_AGENT_IMAGE_LIMIT)
    guard let wanted = UnsafeMutableRawPointer(bitPattern: UInt(base)),
      let memory = mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0)
    else { return false }
    guard memory == wanted else {
      if memory != MAP_FAILED { munmap(memory, size) }
      return false
    }
    UnsafeMutableRawBufferPointer(start: memory, count: size).copyBytes(from: image.bytes)
    guard mprotect(memory, size, PROT_READ | PROT_EXEC) == 0 else {
      let error = Errno(rawValue: errno)
      munmap(memory, size)
      throw .machine("the agent cannot be made executable: \(error)", remedy: nil)
    }
    return true
  }
}

extension AgentPlace {
  /// Where modules go that are to be trapped, where only such trap: a block of its own above the agent, aligned so that one
  /// comparison decides for it.
  var arena: AddressRange? {
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

  /// Where the agent starts in a program that was just executed.
  var start: UInt64 { base + image.start }

  /// Writes the agent into a process that has mapped room for it, through /proc: such a write goes to pages that are not
  /// writable, so the agent's are never writable and executable at once.
  /// - Parameters:
  ///   - entry: the program's own first instruction.
  ///   - inherited: what of SIGSYS the program has from the one before it.
  func write(into process: Int32, entry: UInt64, inherited: UInt64) -> Bool {
    let memory = open("/proc/\(process)/mem", O_WRONLY | O_CLOEXEC)
    guard memory >= 0 else { return false }
    defer { close(memory) }
    let bytes = bytes(entry: entry, inherited: inherited)
    return pwrite(memory, bytes, bytes.count, off_t(base)) == bytes.count
  }

  private func bytes(entry: UInt64, inherited: UInt64) -> [UInt8] {
    image.bytes(entry: entry, supervisor: getpid(), duties: duties.rawValue, arena: arena, inherited: inherited)
  }

  /// The file to execute in the place of a program whose thread cannot be traced.
  func loaderFile(inherited: UInt64) throws(Errno) -> LoaderFile {
    try LoaderFile(bytes(entry: 0, inherited: inherited), base: base, start: base + image.loaded)
  }
}
