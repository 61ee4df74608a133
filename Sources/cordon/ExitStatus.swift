/// The exit codes of every verb.
enum ExitStatus: Int32 {
  /// Yes, or done.
  case done = 0
  /// No: not equivalent, a check failed, a bar was missed.
  case no = 1
  /// The command line is not one that the verb understands.
  case usage = 64
  /// The command line is understood, and what it names is bad.
  case badInput = 65
  /// This kernel or machine cannot do it.
  case unavailable = 69
  /// A defect of Cordon's own.
  case defect = 70
}
