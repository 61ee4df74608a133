import FilterCompiler
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
/// call does. Regions can be declared, changed and removed at any time, before activation and after, from any thread and
/// in a hook (``change(_:)``). A process has one active session at most; it stays active until the process ends or
/// executes another program, also in the children of fork(2).
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

  /// How calls are trapped, as it was asked for; see also ``choice``.
  public let mechanism: Mechanism
  /// What becomes of calls from outside every declared region.
  public let defaultDisposition: Default
  let noNewPrivileges: NoNewPrivileges
  /// What the session does besides trapping its regions.
  public let options: Options

  struct State {
    var store: RegionStore
    let gate: AddressRange
    var hook: TrapHook?
    var arena: Arena?
    /// What the session has mapped, by where it starts.
    var mapped: [UInt64: AddressRange] = [:]
    /// The regions that are memory marked as making no system calls, by serial.
    var marks: Set<UInt64> = []
    let usual: Region.Disposition
    /// Whether raw calls about memory are followed.
    let followsMemoryCalls: Bool
    /// Whether calls from marked memory trap.
    var marksCount: Bool
    /// nil before activation.
    var active: Active?

    var isActive: Bool { active != nil }
  }
  let state: ChangeLock<State>
  let activated = Atomic<Bool>(false)

  /// Opens a session. Nothing happens to the process until ``activate(for:)``.
  /// - Throws: ``SessionError/unavailable(_:reason:)`` where the kernel or a filter that the process is under lacks the
  ///   mechanism, ``SessionError/inexpressible(_:reason:)`` where it cannot do what the options say,
  ///   ``SessionError/unsatisfiable(_:)`` for ``Options/memoryMapCalls`` where everything traps by default,
  ///   ``SessionError/memory(_:)`` where the gate, or the stack on which changes are made, cannot be mapped.
  public init(
    mechanism: Mechanism = .seccomp,
    default defaultDisposition: Default = .allow,
    noNewPrivileges: NoNewPrivileges = .whenNeeded,
    options: Options = []
  ) throws(SessionError) {
    guard options.isEmpty || !mechanism.isPerThread else {
      throw .inexpressible(mechanism, reason: "it cannot trap calls by their numbers")
    }
    let followsMemoryCalls = options.contains(.memoryMapCalls)
    guard !followsMemoryCalls || defaultDisposition == .allow else {
      throw .unsatisfiable("where everything traps by default, memory cannot be marked as making no system calls")
    }
    self.mechanism = mechanism
    self.options = options
    self.defaultDisposition = defaultDisposition
    self.noNewPrivileges = noNewPrivileges
    // Not in the middle of a change: a thread that waits for its end may hold the loader's lock.
    _ = LibcCode.pointers
    let prepared = cordon_engine_prepare()
    guard prepared == 0 else { throw .memory(Errno(rawValue: Int32(-prepared))) }
    let gate = try Session.gate()
    state = try ChangeLock(
      State(
        store: RegionStore(gate: gate), gate: gate, usual: defaultDisposition == .allow ? .allow : .trap,
        followsMemoryCalls: followsMemoryCalls, marksCount: !followsMemoryCalls))
    if let reason = mechanism.unavailability() { throw .unavailable(mechanism, reason: reason) }
  }

  deinit {
    // An active session's regions and hook belong to the filter, which is never taken off.
    let state = state.unguarded
    guard !state.isActive else { return }
    state.arena?.unmap()
    for range in state.mapped.values { PageMapping.unmap(range.start..<range.end) }
  }

  /// SECCOMP_RET_DATA of the traps that are Cordon's, so that the filters of others can be told apart.
  static let trapData: UInt16 = 0xc04d
  static let trapDisposition = Disposition.trap(data: trapData)

  /// The regions that the session has, by index. None, where a hook asks that has interrupted a change by its own thread.
  public var regions: [Region] { read([]) { $0.store.regions } }

  /// Whether ``activate(for:)`` has succeeded.
  public var isActive: Bool { activated.load(ordering: .acquiring) }

  /// Sets what answers trapped calls; the last one set before activation counts.
  /// - Throws: ``SessionError/alreadyActivated``, ``SessionError/changeInProgress``.
  public func setHook(_ hook: TrapHook) throws(SessionError) {
    try state.withLock { state throws(SessionError) in
      guard !state.isActive else { throw .alreadyActivated }
      state.hook = hook
    }
  }

  /// Something of the session; `otherwise` where the calling thread is in the middle of changing it.
  func read<Result>(_ otherwise: Result, _ body: (State) -> Result) -> Result {
    (try? state.withLock { state throws(SessionError) in body(state) }) ?? otherwise
  }
}
