/// What is timed for the bars of `cordon run`.
enum RunJob: String, CaseIterable {
  case trueNative = "true"
  case trueAll = "true, all"
  case trueLibrary = "true, one library"
  case execNative = "execs"
  case execAll = "execs, all"
  case findNative = "find"
  case findAll = "find, all"
  case findLibrary = "find, one library"
  case findLog = "find, all, log"
  case findStrace = "find, strace"

  static let execs = 100
  static let strace = "/usr/bin/strace"
  static let find = ["/usr/bin/find", "/usr/include"]
  /// No program has it, so it never makes a call.
  private static let library = ["--trap", "libnone.so*"]

  /// The command, with `log` as a file to write to.
  func words(cordon: String, log: String) -> [String] {
    func under(_ options: [String], _ command: [String]) -> [String] { [cordon, "run"] + options + ["--"] + command }
    let loop = "i=0; while [ $i -lt \(Self.execs) ]; do /bin/true; i=$((i+1)); done"
    let shell = ["/bin/sh", "-c", loop]
    return switch self {
    case .trueNative: ["/bin/true"]
    case .trueAll: under(["--all"], ["/bin/true"])
    case .trueLibrary: under(Self.library, ["/bin/true"])
    case .execNative: shell
    case .execAll: under(["--all"], shell)
    case .findNative: Self.find
    case .findAll: under(["--all"], Self.find)
    case .findLibrary: under(Self.library, Self.find)
    case .findLog: under(["--all", "--log", log], Self.find)
    case .findStrace: [Self.strace, "-f", "-o", "/dev/null"] + Self.find
    }
  }

  /// In how many of the rounds it is run: all, or every so many. Slow ones vary less.
  var interval: Int {
    switch self {
    case .trueNative, .trueAll, .trueLibrary: 1
    case .execNative, .execAll, .findNative, .findAll, .findLibrary: 3
    case .findLog, .findStrace: 6
    }
  }

  /// The program that has to be there for it.
  var program: String? {
    switch self {
    case .findNative, .findAll, .findLibrary, .findLog: Self.find[0]
    case .findStrace: Self.strace
    default: nil
    }
  }
}
