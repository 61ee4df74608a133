public import FilterCompiler
import Synchronization
import SystemPackage
import TrapEngine

/// Traps the system calls of chosen code in this process and has a hook answer them.
///
/// Open a session, say which regions trap (or, with the default `.trap`, which alone may call), set a hook, and
/// activate:
///
/// ```swift
/// let session = try Session()
/// let guest = try session.mapExecutable(code)
/// try session.setHook(TrapHook { trap in trap.number == 39 ? .value(42) : .pass })
/// try session.activate()
/// ```
///
/// From then on a call issued by an instruction that lies wholly inside a trapped region reaches the hook, and no other
/// call does. Regions are fixed at activation. A process has one active session at most; it stays active until the
/// process ends or executes another program, also in the children of fork(2).
///
/// A session is **not a security boundary**: code that wants to can jump into Cordon's own pages, whose calls pass.
public final class Session: Sendable {
  /// Which threads a session is activated for.
  public enum Scope: Sendable, Hashable {
    /// The calling thread, and what it creates from then on as far as the mechanism is inherited: a seccomp filter is,
    /// syscall user dispatch is not.
    case callingThread
    /// Every thread of the process, those made later by pthread_create, and the children of fork(3). With syscall user
    /// dispatch also what trapped code makes by fork, vfork, clone and clone3; threads that native code makes by a bare
    /// clone(2), or libc for its own use, are not armed.
    case allThreads
  }

  /// What becomes of calls from outside every declared region.
  public enum Default: Sendable, Hashable { case allow, trap }

  /// Whether activation sets no_new_privs (prctl(2)), which seccomp demands of callers without CAP_SYS_ADMIN. It cannot
  /// be unset, is inherited, and makes set-user-id programs run without their privileges.
  public enum NoNewPrivileges: Sendable, Hashable {
    /// Only if the kernel refuses the filter without it.
    case whenNeeded
    /// Always, before the filter is loaded.
    case always
    /// Never; without CAP_SYS_ADMIN activation then throws ``SessionError/filterRefused(_:)`` (EACCES).
    case never
  }

  /// How calls are trapped.
  public let mechanism: Mechanism
  /// What becomes of calls from outside every declared region.
  public let defaultDisposition: Default
  let noNewPrivileges: NoNewPrivileges

  struct State {
    var map: RegionMap
    var regions: [Region] = []
    var hook: TrapHook?
    var arena: Arena?
    /// What was mapped outside the arena.
    var mapped: [AddressRange] = []
    var isActive = false
  }
  let state: Mutex<State>

  /// Opens a session. Nothing happens to the process until ``activate(for:)``.
  /// - Throws: ``SessionError/unavailable(_:reason:)`` where the kernel or a filter that the process is under lacks the
  ///   mechanism, ``SessionError/memory(_:)`` where the gate cannot be mapped.
  public init(
    mechanism: Mechanism = .seccomp,
    default defaultDisposition: Default = .allow,
    noNewPrivileges: NoNewPrivileges = .whenNeeded
  ) throws(SessionError) {
    self.mechanism = mechanism
    self.defaultDisposition = defaultDisposition
    self.noNewPrivileges = noNewPrivileges
    state = Mutex(
      State(map: RegionMap(default: defaultDisposition == .allow ? .allow : Session.trapDisposition)))
    let prepared = cordon_engine_prepare()
    guard prepared == 0 else { throw .memory(Errno(rawValue: Int32(-prepared))) }
    if let reason = mechanism.unavailability() { throw .unavailable(mechanism, reason: reason) }
  }

  deinit {
    // An active session's regions and hook belong to the filter, which is never taken off.
    let state = state.withLock { $0 }
    guard !state.isActive else { return }
    if let arena = state.arena { Arena.unmap(arena.range) }
    state.mapped.forEach(Arena.unmap)
  }

  /// SECCOMP_RET_DATA of the traps that are Cordon's, so that the filters of others can be told apart.
  static let trapData: UInt16 = 0xc04d
  static let trapDisposition = Disposition.trap(data: trapData)

  /// The regions declared so far.
  public var regions: [Region] { state.withLock { $0.regions } }

  /// Whether ``activate(for:)`` has succeeded.
  public var isActive: Bool { state.withLock { $0.isActive } }

  /// Traps the calls of the instructions that lie wholly inside `range`.
  /// - Throws: ``SessionError/region(_:)`` for a range above user space (x86-64: 2^47), too short for an instruction, or
  ///   overlapping an allowed region; ``SessionError/alreadyActivated``.
  @discardableResult
  public func trap(_ range: AddressRange) throws(SessionError) -> Region {
    try declare(range, Session.trapDisposition)
  }

  /// Allows the calls of the instructions that lie wholly inside `range`: for sessions whose default is `.trap`.
  /// - Throws: as ``trap(_:)``.
  @discardableResult
  public func allow(_ range: AddressRange) throws(SessionError) -> Region {
    try declare(range, .allow)
  }

  /// Maps code into fresh memory that is a trapped region from birth: readable and executable, never writable once it
  /// can run.
  ///
  /// The session keeps a 4 GiB block of address space for such regions (reserved, not allocated), so that one comparison
  /// of the address's upper half decides for all of them. Where that much address space is not to be had (RLIMIT_AS),
  /// the code is mapped where the kernel puts it.
  ///
  /// The memory lives as long as the session, and once that is activated, as long as the process.
  /// - Parameter code: at least 2 bytes of machine code; the region is rounded up to whole pages, filled with `int3`.
  /// - Throws: ``SessionError/memory(_:)`` where it cannot be mapped, and as ``trap(_:)``.
  public func mapExecutable(_ code: [UInt8]) throws(SessionError) -> Region {
    try withState { state throws(SessionError) in
      let range = try state.mapExecutable(code)
      return try state.declare(range, Session.trapDisposition)
    }
  }

  /// Sets what answers trapped calls; the last one set before activation counts.
  /// - Throws: ``SessionError/alreadyActivated``.
  public func setHook(_ hook: TrapHook) throws(SessionError) {
    try withState { state throws(SessionError) in state.hook = hook }
  }

  private func declare(_ range: AddressRange, _ disposition: Disposition) throws(SessionError) -> Region {
    try withState { state throws(SessionError) in try state.declare(range, disposition) }
  }

  /// Changes the state of a session that is not active yet.
  func withState<Result: Sendable>(
    _ change: (inout State) throws(SessionError) -> Result
  ) throws(SessionError) -> Result {
    try state.withLock { state throws(SessionError) in
      guard !state.isActive else { throw .alreadyActivated }
      return try change(&state)
    }
  }
}

extension Session.State {
  /// Maps code in the arena, which is reserved by the first use; anywhere, if the address space does not allow one.
  mutating func mapExecutable(_ code: [UInt8]) throws(SessionError) -> AddressRange {
    guard var arena = arena ?? Arena() else {
      let range = try Arena.mapAnywhere(code)
      mapped.append(range)
      return range
    }
    let range = try arena.map(code)
    self.arena = arena
    return range
  }

  mutating func declare(_ range: AddressRange, _ disposition: Disposition) throws(SessionError) -> Region {
    do { try map.insert(range, disposition) } catch { throw .region(error) }
    let region = Region(index: regions.count, range: range)
    regions.append(region)
    return region
  }
}
