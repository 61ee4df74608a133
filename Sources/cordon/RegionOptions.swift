import ArgumentParser
import Cordon
import FilterCompiler
import SyscallPolicy

/// The options that say what becomes of calls by where they come from, alone or added to a profile.
struct RegionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Calls from this code trap.", valueName: "range"))
  var trap: [String] = []

  @Option(help: ArgumentHelp("Calls from this code are allowed.", valueName: "range"))
  var allow: [String] = []

  @Option(help: "What becomes of calls from any other code: allow (the default) or trap. A profile says it itself.")
  var `default`: DefaultDisposition?

  @Option(help: ArgumentHelp("No code lies here: any decision will do.", valueName: "range"))
  var dontCare: [String] = []

  @Option(
    help: ArgumentHelp("Look up module names in this live process.", valueName: "pid"),
    transform: ProcessNumber.init(parsing:))
  var pid: ProcessNumber?

  @Option(help: "The machine whose code it is: x86_64, aarch64 or riscv64. (default: this one, or the profile's)")
  var arch: Architecture?

  /// Whether nothing was said at all.
  var isEmpty: Bool { trap.isEmpty && allow.isEmpty && dontCare.isEmpty && self.default == nil }

  /// What a command line describes, and where it found the code that is named by module.
  typealias Specification = (map: RegionMap, options: CompileOptions, places: CodePlaces)

  /// What the profile, if there is one, and the options describe together.
  func specification(profile path: String?) throws(CommandFailure) -> Specification {
    guard let path else {
      let architecture = arch ?? .host
      let map = RegionMap(architecture: architecture, default: (self.default ?? .allow).disposition)
      let places = try CodePlaces(process: pid, architecture: architecture)
      return (try named(in: places, addedTo: map), CompileOptions(), places)
    }
    guard self.default == nil else {
      throw .usage("--default", "the profile says what becomes of other calls", remedy: "leave it out")
    }
    let profile = try ProfileFile.read(path, architecture: arch)
    let places = try CodePlaces(process: pid, architecture: profile.architecture)
    let map = try ProfileFile.regionMap(of: profile, in: places)
    return (try named(in: places, addedTo: map), profile.options, places)
  }

  /// The map with the code that the options name.
  private func named(in places: CodePlaces, addedTo map: RegionMap) throws(CommandFailure) -> RegionMap {
    var map = map
    let named: [(option: String, texts: [String], disposition: Disposition?)] = [
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
