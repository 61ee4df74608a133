import ArgumentParser
import Cordon
import FilterCompiler

/// The options that say what is to become of calls by where they come from.
struct RegionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Calls from this code are to trap.", valueName: "range"))
  var trap: [String] = []

  @Option(help: ArgumentHelp("Calls from this code are to be allowed.", valueName: "range"))
  var allow: [String] = []

  @Option(help: "What is to become of calls from any other code: allow or trap. (default: allow)")
  var `default`: DefaultDisposition?

  @Option(help: ArgumentHelp("No code lies here: any answer is right.", valueName: "range"))
  var dontCare: [String] = []

  @Option(help: ArgumentHelp("Look up module names in this live process.", valueName: "pid"))
  var pid: ProcessNumber?

  @Option(help: "The machine whose code it is: x86_64, aarch64 or riscv64.")
  var arch: Architecture = .host

  /// Whether nothing was said at all.
  var isEmpty: Bool { trap.isEmpty && allow.isEmpty && dontCare.isEmpty && self.default == nil }

  /// The regions that the options describe.
  func map() throws(CommandFailure) -> RegionMap {
    var map = RegionMap(architecture: arch, default: (self.default ?? .allow).disposition)
    let places = try CodePlaces(process: pid, architecture: arch)
    let named: [(String, [String], Disposition?)] = [
      ("--trap", trap, .trap), ("--allow", allow, .allow), ("--dont-care", dontCare, nil),
    ]
    for (option, texts, disposition) in named {
      for text in texts {
        for range in try places.ranges(text, option) {
          do {
            if let disposition { try map.insert(range, disposition) } else { try map.insertDontCare(range) }
          } catch {
            throw .badInput(option, error, remedy: Self.remedy(error))
          }
        }
      }
    }
    return map
  }

  private static func remedy(_ error: RegionError) -> String? {
    switch error {
    case .contradiction: "let the ranges end where the others start"
    case .aboveUserSpace(_, let architecture): "--arch says whose code it is; it is taken for \(architecture)"
    default: nil
    }
  }
}
