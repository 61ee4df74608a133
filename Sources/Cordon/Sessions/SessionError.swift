public import FilterCompiler
public import SystemPackage

/// Why a session could not be set up or activated. Whatever is thrown, nothing that cannot be undone has happened, and
/// the session is as it was before the call.
public enum SessionError: Error, Sendable, Hashable {
  /// A region that is empty, reversed, too short, above user space, or contradicts another one.
  case region(RegionError)
  /// The regions do not make a filter; it says how many would fit.
  case compilation(CompileError)
  /// A policy that the SIGSYS handler cannot go by, and why.
  case policy(Policy, reason: String)
  /// A module's code was not found in this process.
  case module(String, reason: String, remedy: String?)
  /// ``Session/activate(for:)`` before ``Session/setHook(_:)``.
  case missingHook
  /// Nothing would ever trap: no region traps, and the default allows.
  case nothingTraps
  /// The session is active already; its hook is fixed.
  case alreadyActivated
  /// The session has no such region: it was removed, or is another session's.
  case noSuchRegion(AddressRange)
  /// A range that has no mapping, or one that the session has not made.
  case notMapped(AddressRange)
  /// What is asked for cannot be had by any filter.
  case unsatisfiable(String)
  /// The calling thread is in the middle of a change already (a call of its own trapped, and this is the hook); or it is
  /// in the child of a bare fork(2) that another thread's change was copied by.
  case changeInProgress
  /// The session was activated for one thread, and what is asked for needs something attached to it: only that thread can
  /// do so, and only while it has made no others.
  case onlyByItsThread(Int32)
  /// Another session of this process is active. There is one SIGSYS, and one session answers it.
  case anotherSessionActive
  /// SIGSYS is blocked in these threads (by id): the first trap would kill the process.
  case signalBlocked(threads: [Int32])
  /// This kernel or process cannot use the mechanism.
  case unavailable(Mechanism, reason: String)
  /// The mechanism cannot express this map.
  case inexpressible(Mechanism, reason: String)
  /// The kernel refused the filter with this errno.
  case filterRefused(Errno)
  /// A thread has filters of its own that the caller does not have, so the filter cannot be put on all threads.
  case threadNotSynchronized(Int32)
  /// A thread could not be reached to arm itself, by signal 33 (glibc's own, whose use for setuid(2) goes on): `.timedOut`
  /// where it has blocked that for 2 s, or a debugger has held it. The others are as they were; the signal stays with Cordon,
  /// since that thread may still answer.
  case threadNotArmed(Int32, Errno)
  /// A thread could not be stopped for the moment in which a filter that traps calls of native code is attached, by signal
  /// 33 (glibc's own): `.timedOut` where it has blocked that for 2 s, or a debugger has held it. The session is as it was.
  case threadNotStopped(Int32, Errno)
  /// /proc/self/task could not be read, or has lacked threads for 2 s, so those are not known that would have to be stopped.
  case threadsNotListed(Errno)
  /// New threads cannot be followed, because another definition of pthread_create is in front of Cordon's.
  case threadsNotFollowed
  /// Memory for the gate, the regions' table or executable code could not be mapped.
  case memory(Errno)
}

extension SessionError: CustomStringConvertible {
  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .region(let error): "\(error)"
    case .compilation(let error): "\(error)"
    case .policy(let policy, let reason): "\(policy) cannot decide in the handler: \(reason)"
    case .module(_, let reason, _): reason
    case .missingHook: "the session has no hook"
    case .nothingTraps: "nothing would trap: no region traps and the default allows"
    case .alreadyActivated: "the session is active: its hook is fixed"
    case .noSuchRegion(let range): "the session has no region \(range)"
    case .notMapped(let range): "\(range) is not mapped by the session"
    case .unsatisfiable(let reason): reason
    case .changeInProgress: "the calling thread is in the middle of a change of the session"
    case .onlyByItsThread(let thread):
      "the session is active for thread \(thread) alone, which must make this change itself, before it makes threads"
    case .anotherSessionActive: "another session of this process is active"
    case .signalBlocked(let threads):
      "SIGSYS is blocked in thread\(threads.count == 1 ? "" : "s") "
        + threads.map(String.init).joined(separator: ", ")
    case .unavailable(let mechanism, let reason): "\(mechanism.rawValue) is not available: \(reason)"
    case .inexpressible(let mechanism, let reason): "\(mechanism.rawValue) cannot express this map: \(reason)"
    case .filterRefused(let errno): "the kernel refused the filter: \(errno)"
    case .threadNotSynchronized(let thread):
      "thread \(thread) has a filter of its own, so all threads cannot share one"
    case .threadNotArmed(let thread, let errno): "thread \(thread) could not be armed: \(errno)"
    case .threadNotStopped(let thread, let errno): "thread \(thread) could not be stopped: \(errno)"
    case .threadsNotListed(let errno): "the process's threads could not be listed: \(errno)"
    case .threadsNotFollowed: "another pthread_create is in front of Cordon's, so new threads cannot be followed"
    case .memory(let errno): "memory could not be mapped: \(errno)"
    }
  }

  /// What to do about it, where there is something to do.
  public var remedy: String? {
    switch self {
    case .module(_, _, let remedy): remedy
    case .missingHook: "call setHook before activate"
    case .nothingTraps: "declare a region that traps, or open the session with the default .trap"
    case .alreadyActivated: "set the hook before activate"
    case .changeInProgress: "leave the change to code that the hook does not interrupt"
    case .onlyByItsThread: "activate the session for all threads"
    case .anotherSessionActive: "give its hook this session's work, or use a process of its own"
    case .signalBlocked: "unblock SIGSYS there before activating: the kernel kills a thread that traps with it blocked"
    case .unavailable(let mechanism, _): "it exists since Linux \(mechanism.sinceKernel); `cordon doctor` tells more"
    case .inexpressible: "use the mechanism seccomp, which takes any map"
    case .filterRefused(.permissionDenied):
      "set no_new_privs (noNewPrivileges: .whenNeeded) or run with CAP_SYS_ADMIN"
    case .filterRefused(.noMemory):
      "the filters of this process have used up the kernel's 32,768 instructions: attach fewer"
    case .threadNotSynchronized: "activate before that thread loads its filter, or activate for the calling thread only"
    case .threadNotArmed(_, .timedOut):
      "have the thread leave signal 33 open, by which it is asked, and no debugger hold it, or use the mechanism seccomp"
    case .threadNotStopped(_, .timedOut):
      "have the thread leave signal 33 open, by which it is asked, and no debugger hold it"
    case .threadsNotListed: "mount the process's own /proc"
    case .threadsNotFollowed: "link Cordon into the executable, or use the mechanism seccomp, which threads inherit"
    case .compilation(let error): error.remedy
    case .policy: "use allow, trap, errno and kill-process only, or compile a filter of it (`cordon compile`)"
    case .region, .filterRefused, .threadNotArmed, .threadNotStopped, .memory, .noSuchRegion, .notMapped,
      .unsatisfiable:
      nil
    }
  }
}
