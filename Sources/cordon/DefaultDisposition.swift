import ArgumentParser
import FilterCompiler

/// What becomes of calls from code that no option names.
enum DefaultDisposition: String, ExpressibleByArgument, CaseIterable {
  case allow, trap

  var disposition: Disposition {
    switch self {
    case .allow: .allow
    case .trap: .trap
    }
  }
}
