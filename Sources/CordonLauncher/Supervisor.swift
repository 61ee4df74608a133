import AgentInterface
import FilterCompiler
import Glibc
import LauncherShims
import SystemPackage
import TrapEngine

/// Watches over a tree of processes: puts the agent into every program that one of them executes, and passes signals on.
///
/// One thread, one loop, no lock: what it waits for arrives as calls at the listener and as SIGCHLD. A thread is traced
/// only from the call that executes a program until the agent is in place; nothing is traced while programs run.
struct Supervisor: ~Copyable {
  private let listener: Listener
  private let signals: SignalQueue
  private let place: AgentPlace
  /// The process that was started.
  private let program: Int32
  private var followed = FollowedThreads()
  /// The threads that have executed a program which has yet to ask for its agent.
  private var births = ThreadSet()
  /// What of SIGSYS the programs have from it that a thread executes next.
  private var inheritances: [Int32: UInt64] = [:]
  private var end: ProgramEnd?
  /// Whether nobody is behind the listener any more.
  private var isAbandoned = false
  /// Who else gets what the program's process group is sent.
  private var witness: GroupWitness?
  /// The books, where they are kept.
  var accountant: Accountant?

  init(
    program: Int32, listener: consuming Listener, signals: consuming SignalQueue, place: consuming AgentPlace,
    witness: GroupWitness?, accountant: consuming Accountant?
  ) {
    self.accountant = accountant
    self.program = program
    self.listener = listener
    if signals.blockedTraps { inheritances[program] = UInt64(CORDON_SIGSYS_BLOCKED) }
    self.signals = signals
    self.place = place
    self.witness = witness
  }

  /// How long a thread that wants to execute a program is traced at most before it is looked at: long enough for an
  /// execve that succeeds, and short for one that failed.
  private static let patience: UInt64 = 2_000_000
  /// How long until it is looked at again.
  private static let interval: UInt64 = 50_000_000

  /// Supervises until the program has ended, and what was being executed then is done with. Processes that the program
  /// has started may live on.
  mutating func superviseProgram() -> ProgramEnd {
    while true {
      step(answeringCalls: end == nil)
      if let end, followed.isEmpty { return end }
    }
  }

  /// Whether a process of the tree is left.
  var hasProcesses: Bool { !listener.isAbandoned }

  /// Supervises until no process of the tree is left.
  mutating func superviseRest() {
    witness = nil
    while !isAbandoned || !followed.isEmpty { step(answeringCalls: true) }
  }

  /// Stops passing signals on, which is for when there is nobody to pass them to.
  func stopPassingSignalsOn() { signals.stopReading() }

  /// Waits for something to happen and answers it.
  private mutating func step(answeringCalls: Bool) {
    var sources: InlineArray = [
      pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: signals.ofChildren, events: Int16(POLLIN), revents: 0),
      pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    var watched = sources.mutableSpan
    // A listener that nobody is behind any more would be reported again and again.
    let count: nfds_t = answeringCalls && !isAbandoned ? 3 : 2
    let timeout = timeout()
    if watched.withUnsafeMutableBufferPointer({ poll($0.baseAddress, count, timeout) }) > 0 {
      if sources[0].revents != 0 { passSignalsOn() }
      if sources[1].revents != 0 { reap() }
      if sources[2].revents & Int16(POLLIN) != 0 {
        if let notification = listener.receive() { answer(notification) }
      } else if sources[2].revents & Int16(POLLHUP) != 0 {
        isAbandoned = true
      }
    }
    interruptLateThreads()
    if accountant?.isDue == true { accountant?.writeLog() }
  }

  /// How often a log is written, in milliseconds: before an agent has filled its ring.
  private static let logInterval: Int32 = 4

  private func timeout() -> Int32 {
    let ceiling = accountant?.isDue == true ? Self.logInterval : -1
    guard let first = followed.firstDeadline else { return ceiling }
    let now = MonotonicTime.now()
    let next = first <= now ? 0 : Int32(clamping: (first - now) / 1_000_000 + 1)
    return ceiling < 0 ? next : min(ceiling, next)
  }

  // MARK: - Programs that are executed

  private mutating func answer(_ notification: CordonNotification) {
    if place.isBirth(notification) { return giveAgent(notification) }
    guard notification.number == 322 else { return announce(notification) }
    if notification.arguments.5 == UInt64(CORDON_AGENT_LOADS), place.hasCalled(notification.instruction_pointer) {
      listener.proceed(notification)
    } else if notification.arguments.4 == UInt64(CORDON_AGENT_ASKS) {
      answerQuestion(notification)
    } else {
      announce(notification)
    }
  }

  private mutating func answerQuestion(_ notification: CordonNotification) {
    switch Int(notification.arguments.0) {
    case CORDON_QUESTION_INHERIT:
      inheritances[notification.thread] = notification.arguments.1
      _ = cordon_listener_answer(listener.descriptor, notification.id, 0)
    case CORDON_QUESTION_LOADER:
      accountant?.expectExecution(notification)
      do { try giveLoader(notification) } catch { listener.refuse(notification, error) }
    case CORDON_QUESTION_AGENT:
      do { try place.give(to: notification, listener) } catch { listener.refuse(notification, error) }
    default:
      if accountant == nil { listener.refuse(notification, .noFunction) }
      accountant?.answer(notification, listener)
    }
  }

  /// A thread is about to execute a program: from here on it is traced until the agent is in.
  private mutating func announce(_ notification: CordonNotification) {
    let thread = notification.thread
    accountant?.expectExecution(notification)
    if followed[thread] == nil {
      let seized = cordon_trace_seize(thread, UInt32(CordonTraceExec))
      guard seized == 0 else { return manage(notification, without: Errno(rawValue: Int32(-seized))) }
    }
    let isNative = notification.architecture == AuditArchitecture.x86_64.rawValue
    followed[thread] = FollowedThread(
      deadline: MonotonicTime.now() + Self.patience, process: StatusFile.process(of: thread),
      number: isNative ? notification.number : 59,  // execve
      inherited: inheritances.removeValue(forKey: thread) ?? 0)
    listener.proceed(notification)
  }

  /// A new program asks for its agent, or says why it has none.
  private mutating func giveAgent(_ notification: CordonNotification) {
    let refusal = Int(truncatingIfNeeded: notification.arguments.1)
    guard refusal == 0 else {
      let error = Errno(rawValue: Int32(clamping: -refusal))
      return end(notification.thread, "the agent has no room in its new program: \(error)")
    }
    guard births.remove(notification.thread) else {
      return listener.refuse(notification, .noSuchFileOrDirectory)
    }
    do {
      try place.give(to: notification, listener)
    } catch {
      // One that is gone needs no agent, and one whose call a stop has ended asks again (before Linux 5.19).
      guard error != .noSuchFileOrDirectory, error != .noSuchProcess else { return births.insert(notification.thread) }
      end(notification.thread, "its new program cannot be given the agent: \(error)")
    }
  }

  private func end(_ process: Int32, _ problem: String) {
    Message.say("process \(process) is ended: \(problem)")
    kill(process, SIGKILL)
  }

  /// Has a program executed by a thread that cannot be traced: by way of the loader's file where the call is the agent's,
  /// so that it knows what to do with it.
  private mutating func manage(_ notification: CordonNotification, without error: Errno) {
    // A thread that is gone waits for no answer.
    guard error != .noSuchProcess else { return listener.proceed(notification) }
    if place.hasCalled(notification.instruction_pointer), (try? giveLoader(notification)) != nil { return }
    Message.say(
      "process \(notification.thread) cannot execute a program: it cannot be traced (\(error))"
        + TraceObstacle.sentence(of: notification.thread))
    listener.refuse(notification, .notPermitted)
  }

  private mutating func giveLoader(_ notification: CordonNotification) throws(Errno) {
    let file = try place.loaderFile(inherited: inheritances.removeValue(forKey: notification.thread) ?? 0)
    let given = cordon_listener_give(listener.descriptor, notification.id, file.descriptor)
    guard given == 0 else { throw Errno(rawValue: Int32(-given)) }
  }

  /// A thread that has been traced for a while has not executed anything: the call failed. Or it has got the number of its
  /// process, and may have been killed since: then its end is told of that number.
  private mutating func interruptLateThreads() {
    guard followed.firstDeadline != nil else { return }
    let now = MonotonicTime.now()
    for thread in followed.late(at: now) {
      guard var state = followed[thread] else { continue }
      followed[thread] = nil
      state.deadline = now + Self.interval
      let number = [thread, state.process].first { cordon_trace_interrupt($0) == 0 }
      if let number { followed[number] = state }
    }
  }

  // MARK: - Signals

  /// Passes on to the program what it has not got itself.
  private mutating func passSignalsOn() {
    let received = witness?.signalsToOne { signals.all() } ?? signals.all()
    guard end == nil else { return }
    for var signal in received where signal.isForProgram(program) { cordon_signal_forward(&signal, program) }
  }

  private mutating func reap() {
    signals.clearChildren()
    let all = Int32(bitPattern: 0x4000_0000)  // __WALL
    while true {
      var status: Int32 = 0
      let thread = waitpid(-1, &status, all | WNOHANG | WUNTRACED)
      guard thread > 0 else { return }
      if let stop = ThreadStop(status) {
        answer(stop, of: thread)
      } else {
        ended(thread, status)
      }
    }
  }

  private mutating func ended(_ thread: Int32, _ status: Int32) {
    followed[thread] = nil
    _ = births.remove(thread)
    guard thread == program, let programEnd = ProgramEnd(status) else { return }
    end = programEnd
    witness?.dismiss()
  }

  private mutating func answer(_ stop: ThreadStop, of thread: Int32) {
    if stop == .executed {
      // The thread that called has the number of its process from now on.
      var caller: UInt64 = 0
      if cordon_trace_message(thread, &caller) == 0, caller != thread, let state = followed[Int32(caller)] {
        followed[Int32(caller)] = nil
        followed[thread] = state
      }
    }
    guard let state = followed[thread] else {
      // A stop of the program itself, which nobody traces: from the terminal, so this process stops as well, and the
      // shell has its prompt back.
      if thread == program, case .signal(let signal) = stop { stopWith(signal) }
      return
    }
    switch state.answer(stop, thread, place) {
    case .released(let signal):
      _ = cordon_trace_detach(thread, signal)
      followed[thread] = nil
    case .executed:
      births.insert(thread)
      _ = cordon_trace_detach(thread, 0)
      followed[thread] = nil
    case .failed(let problem): end(thread, problem)
    }
  }

  private func stopWith(_ signal: Int32) {
    if signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU { cordon_signal_stop(signal) }
  }
}
