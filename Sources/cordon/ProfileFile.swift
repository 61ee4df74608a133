import FilterCompiler
import SyscallPolicy
import SystemPackage

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
    let name = path == "-" ? "standard input" : ArgumentPath.words(path)
    let bytes: [UInt8]
    do {
      bytes = try self.bytes(path)
    } catch {
      throw .badInput(name, "cannot be read: \(error)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .badInput(name, "is not a text in UTF-8", remedy: remedy)
    }
    return (name, text)
  }

  private static func bytes(_ path: String) throws(Errno) -> [UInt8] {
    try Errno.typed {
      let file =
        path == "-" ? FileDescriptor.standardInput : try FileDescriptor.open(ArgumentPath.path(path), .readOnly)
      defer { if path != "-" { try? file.close() } }
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65536)
      while bytes.count < limit {
        let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
        if count == 0 { break }
        bytes += buffer[..<count]
      }
      return bytes
    }
  }
}
