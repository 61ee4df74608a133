/// Something that a mechanism does or does not do, found by trying.
package enum Capability: String, CaseIterable, Sendable, Codable {
  case nativePasses = "native"
  case answersValue = "value"
  case answersError = "error"
  case passesThrough = "pass"
  case redirects = "redirect"
  case oldInterface = "int80"
  case underSignals = "signals"
  case newThreads = "threads"
  case forkedChildren = "fork"
  case executedPrograms = "exec"
  case manyRegions = "regions"

  /// The question that the answer "yes" is to.
  package var question: String {
    switch self {
    case .nativePasses: "native calls beside the guest are left alone"
    case .answersValue: "a guest's call is answered with a value"
    case .answersError: "a guest's call is answered with an error"
    case .passesThrough: "a guest's call is let through and returns what the kernel says"
    case .redirects: "a guest's call makes it go on elsewhere"
    case .oldInterface: "a guest's int $0x80 is answered too"
    case .underSignals: "all answers are right while a timer's signals arrive"
    case .newThreads: "a thread made later by libc is trapped as well"
    case .forkedChildren: "the child of a native fork is trapped as well"
    case .executedPrograms: "a program that is executed runs unharmed"
    case .manyRegions: "several regions trap, and what lies between them does not"
    }
  }
}
