import FilterCompiler
import Glibc
import LauncherShims
import SystemPackage

/// A program that runs with its system calls trapped, and everything that it executes.
package struct ProgramRun {
  /// The program's arguments, its name among them, byte for byte as they were given.
  private let arguments: UnsafeBufferPointer<UnsafeMutablePointer<CChar>?>
  private let name: UnsafeMutablePointer<CChar>
  private let file: ProgramFile
  private let options: Options

  /// What is trapped, and what becomes of it.
  package struct Options {
    /// Which code's calls are trapped and accounted.
    package var selection: CodeSelection
    /// Whether somebody wants to know how many calls there were.
    package var accounts: Bool
    package var log: CallLog?
    /// What becomes of calls; they pass where there is none.
    package var profile: RunProfile?
    package var mechanism: TrapMechanism

    package init(
      selection: CodeSelection, accounts: Bool, log: CallLog?, profile: RunProfile?, mechanism: TrapMechanism
    ) {
      self.profile = profile
      self.mechanism = mechanism
      self.selection = selection
      self.accounts = accounts
      self.log = log
    }

    var duties: AgentDuties {
      var duties: AgentDuties = mechanism == .dispatch ? .dispatches : []
      if mechanism == .seccomp, profile == nil, selection.isOfPlaceableModules { duties.insert(.places) }
      // Where modules are placed, whether there are any shows without books.
      let looksForCode = !duties.contains(.places) && selection.canBeAbsent
      if accounts || log != nil || profile != nil || looksForCode { duties.insert(.accounts) }
      if log != nil { duties.insert(.logs) }
      if AgentDuties.canReadThreadPointers { duties.insert(.readsThreadPointers) }
      return duties
    }
  }

  /// What came of a run.
  package struct Outcome {
    package let end: ProgramEnd
    /// The books, where they were kept.
    package let report: RunReport?
  }

  /// - Parameter arguments: the program's name, as a shell takes it, and its arguments. They are not copied.
  /// - Throws: ``LaunchError/program(_:problem:remedy:)`` where there is no such program.
  package init(
    arguments: UnsafeBufferPointer<UnsafeMutablePointer<CChar>?>, options: Options
  ) throws(LaunchError) {
    guard let first = arguments.first, let name = first else {
      throw .program("''", problem: "no such program", remedy: nil)
    }
    self.arguments = arguments
    self.name = name
    self.options = options
    file = try ProgramFile(
      named: String(cString: name), searchPath: getenv("PATH").map { String(cString: $0) })
  }

  /// Runs the program to its end. The program has this process's terminal, process group, environment, limits and open
  /// descriptors.
  ///
  /// What the program has started and left behind is supervised further by a process in the background.
  /// - Throws: ``LaunchError`` where it could not be started.
  package func run() throws(LaunchError) -> Outcome {
    // A path is taken as it was given, since its bytes need not be a text.
    let path = file.isAsNamed ? name : file.path.withCString { strdup($0) }
    defer { if !file.isAsNamed { free(path) } }
    guard let path else { throw Self.noMemory }
    let outcome = try run(path, arguments.span)
    guard case .refused(let error) = outcome else { return try outcome.ended(file) }
    // As a shell does with a script that does not say what runs it.
    guard error == .execFormatError, file.isText else { throw file.refusal(error) }
    let shell = strdup("/bin/sh")
    defer { free(shell) }
    guard let shell else { throw Self.noMemory }
    let words = [shell, path] + arguments.dropFirst()
    return try run(shell, words.span).ended(file)
  }

  private static var noMemory: LaunchError { .machine("no memory", remedy: nil) }

  private enum Attempt {
    case ended(Outcome)
    case refused(Errno)

    func ended(_ file: ProgramFile) throws(LaunchError) -> Outcome {
      switch self {
      case .ended(let outcome): return outcome
      case .refused(let error): throw file.refusal(error)
      }
    }
  }

  private func run(
    _ path: UnsafePointer<CChar>, _ arguments: Span<UnsafeMutablePointer<CChar>?>
  ) throws(LaunchError) -> Attempt {
    let clock = TickClock()
    let duties = options.duties
    // First of all: a limit on files (SIGXFSZ) ends what does not block signals.
    let signals = try SignalQueue()
    let blockedBefore = signals.before
    let place = try AgentPlace(AgentImage(), duties: duties)
    let filters = try place.filters(options.profile)
    var witness: GroupWitness?
    let child = try StartedChild(
      path: path, arguments: arguments, filters: filters, call: place.call, load: place.load,
      mask: signals.maskBefore, meanwhile: { witness = GroupWitness() })
    // A program that ends must be heard of, whatever the caller has made of SIGCHLD.
    signal(SIGCHLD, SIG_DFL)
    var supervisor = Supervisor(
      program: child.process, listener: Listener(adopting: child.listener), signals: signals, place: place,
      witness: witness,
      accountant: !duties.isDisjoint(with: [.accounts, .places])
        ? Accountant(options.selection, clock: clock, log: options.log, profile: options.profile) : nil)
    let end = supervisor.superviseProgram()
    if let error = child.executionError {
      // Nothing has run, so that what runs in its place finds everything as it was.
      cordon_signal_set_mask(blockedBefore)
      child.returnTimers()
      return .refused(error)
    }
    supervisor.accountant?.settle()
    let goesOn = supervisor.hasProcesses
    if goesOn, cordon_background() == 1 {
      supervisor.superviseRest()
      _ = supervisor.accountant?.report(isLast: true)
      exit(0)
    }
    supervisor.stopPassingSignalsOn()
    return .ended(Outcome(end: end, report: supervisor.accountant?.report(isLast: !goesOn)))
  }
}
