import FilterCompiler
import SyscallPolicy

/// A profile named on the command line; `-` is standard input.
enum ProfileFile {
  /// Somewhat more than the largest profile, so that a larger one is seen to be one.
  private static let limit = 1 << 21

  /// Reads the profile in `path`, for the machine `architecture` where that is given.
  static func read(_ path: String, architecture: Architecture?) throws(CommandFailure) -> Profile {
    let (name, text) = try text(path, remedy: "a profile is YAML; `cordon show` reads raw filters")
    do {
      return try Profile(yaml: text, file: name, architecture: architecture)
    } catch {
      throw .badProfile(error)
    }
  }

  /// The regions of a profile, with the modules that it names where `places` has them.
  static func regionMap(of profile: Profile, in places: CodePlaces) throws(CommandFailure) -> RegionMap {
    do {
      return try profile.regionMap(finding: places.finder)
    } catch {
      throw .badProfile(error)
    }
  }

  /// The counts in the file `path`, with the modules that it names where `places` has them.
  static func weights(
    _ path: String, architecture: Architecture, in places: CodePlaces
  ) throws(CommandFailure) -> CallWeights {
    let (name, text) = try text(path, remedy: "a file of weights is YAML")
    do {
      return try WeightsFile(yaml: text, file: name, architecture: architecture).weights(finding: places.finder)
    } catch {
      throw .badProfile(error)
    }
  }

  /// What messages call a file, and its text.
  private static func text(_ path: String, remedy: String) throws(CommandFailure) -> (name: String, text: String) {
    let file = ReadableFile(path)
    let bytes = try file.bytes(limit: limit)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .badInput(file.name, "is not a text in UTF-8", remedy: remedy)
    }
    return (file.name, text)
  }
}
