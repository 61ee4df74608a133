import Cordon
import CordonLauncher
import FilterCompiler
import Glibc
import SystemPackage

/// What `cordon run` was asked to do.
struct RunInvocation {
  var trap: [String] = []
  var all = false
  var stats = false
  var profile: String?
  var mechanism = TrapMechanism.seccomp
  var log: String?
  var report: String?
  /// The program and its arguments, with the `--` in front of them if there was one.
  var command = CommandWords(last: 0)

  /// Runs the program and ends as it does.
  func run() throws(CommandFailure) -> Never {
    let arguments = try programArguments()
    var runProfile: RunProfile?
    if let profile { runProfile = try Self.readProfile(profile) }
    if let reason = mechanism.unavailability {
      throw CommandFailure.unavailable("--mechanism", reason, remedy: "see `cordon doctor`")
    }
    if mechanism == .dispatch, let runProfile, !runProfile.enforced.isEmpty {
      StandardError.write(
        "cordon: --mechanism sud: what the profile denies is denied by cordon's code inside the program, and by no filter"
      )
    }
    let asksForNothing = trap.isEmpty && !all && profile == nil
    let selection =
      trap.isEmpty && !all && profile != nil ? CodeSelection([]) : try TrapArguments.selection(trap, all: all)
    if let log, let report, log != "-", report != "-", Self.place(of: log) == Self.place(of: report) {
      throw .usage("--report", "'\(report)' is the file of the log", remedy: "name another for one of them")
    }
    if let report { try OutputDestination(report).checkWritable() }
    var runLog: CallLog?
    if let log { runLog = try Self.openLog(log) }
    let outcome: ProgramRun.Outcome
    do {
      let program = try ProgramRun(
        arguments: arguments.words,
        options: ProgramRun.Options(
          selection: selection, accounts: stats || report != nil || asksForNothing, log: runLog,
          profile: runProfile, mechanism: mechanism))
      outcome = try program.run()
    } catch {
      throw CommandFailure(error)
    }
    if let books = outcome.report {
      for target in books.absent where !asksForNothing && !all {
        StandardError.write("cordon: --trap: nothing that matches '\(TrapArguments.text(target))' was found")
      }
      for module in books.absentModules {
        StandardError.write("cordon: \(profile ?? ""): no code of '\(module)' was ever mapped")
      }
      if stats || (asksForNothing && log == nil && report == nil) {
        books.lines(stats ? .all : .elsewhere).forEach { StandardError.write($0) }
      } else {
        books.missingInLog.forEach { StandardError.write("cordon: run: \($0)") }
      }
      if let report { write(books, to: report, outcome.end) }
    }
    Glibc.exit(outcome.end.exitStatus)
  }

  /// A report that cannot be written is said to be missing; the exit status is the program's.
  private func write(_ books: RunReport, to report: String, _ end: ProgramEnd) {
    do {
      try OutputDestination(report).write(books.json(program: programWords.texts, end: end).utf8)
    } catch {
      StandardError.write(error.text)
    }
  }

  private static func readProfile(_ path: String) throws(CommandFailure) -> RunProfile {
    let profile = try ProfileFile.read(path, architecture: .x86_64)
    do {
      return try RunProfile(profile)
    } catch {
      switch error {
      case .architecture(let architecture):
        throw .badInput(path, "is for \(architecture), and programs here are x86_64")
      case .disposition(let disposition):
        throw .badInput(
          path, "'\(disposition)' is nothing that a run can do",
          remedy: "it can allow, trap, log, fail with an errno and kill")
      case .compilation(let error): throw .badInput(path, error)
      }
    }
  }

  /// Where a regular file is, or would be, that goes by a name of the command line; nil where there is none.
  private static func place(of name: String) -> FilePath? {
    guard let path = try? ArgumentPath.path(name) else { return nil }
    func real(_ path: FilePath) -> FilePath? {
      guard let name = path.withPlatformString({ realpath($0, nil) }) else { return nil }
      defer { free(name) }
      return FilePath(platformString: name)
    }
    if let file = real(path) {
      var status = stat()
      return file.withPlatformString({ stat($0, &status) }) == 0 && status.st_mode & S_IFMT == S_IFREG ? file : nil
    }
    let folder = path.removingLastComponent()
    guard let last = path.lastComponent else { return nil }
    return real(folder.isEmpty ? "." : folder)?.appending(last)
  }

  private static func openLog(_ path: String) throws(CommandFailure) -> CallLog {
    if path == "-" { return CallLog(path: "standard output", descriptor: .standardOutput, isOwn: false) }
    do {
      return try Errno.typed {
        let descriptor = try FileDescriptor.open(
          ArgumentPath.path(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
          permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite])
        return CallLog(path: path, descriptor: try apartFromStandardStreams(descriptor), isOwn: true)
      }
    } catch {
      throw .badInput(path, "cannot be written: \(error)")
    }
  }

  /// The descriptor, or another of its file: whoever starts this process without a standard stream is not to have messages in
  /// the file that has taken its number.
  private static func apartFromStandardStreams(_ descriptor: FileDescriptor) throws(Errno) -> FileDescriptor {
    guard descriptor.rawValue <= STDERR_FILENO else { return descriptor }
    let other = fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
    guard other >= 0 else { throw Errno(rawValue: errno) }
    close(descriptor.rawValue)
    return FileDescriptor(rawValue: other)
  }

  private var isSeparated: Bool { command.first == "--" }
  private var programWords: CommandWords { isSeparated ? command.rest : command }

  private func programArguments() throws(CommandFailure) -> CommandWords {
    let words = programWords
    guard let name = words.first else {
      throw .usage("run", "no program to run", remedy: "for example `cordon run -- ls -l`")
    }
    if !isSeparated, name.hasPrefix("-") {
      throw .usage(
        "run", "unknown option '\(name)'", remedy: "see `cordon help run`; `--` goes before a program of that name")
    }
    return words
  }
}

extension CommandFailure {
  fileprivate init(_ error: LaunchError) {
    switch error {
    case .program(let name, let problem, let remedy): self = .badInput(name, problem, remedy: remedy)
    case .machine(let problem, let remedy): self = .unavailable("run", problem, remedy: remedy)
    }
  }
}
