import FilterCompiler
import SystemPackage

/// A raw filter named on the command line; `-` is standard input.
struct InputFile {
  /// What messages call it.
  let name: String
  let program: Program

  /// What messages call `-`.
  static let standardInputName = "standard input"

  /// Reads and checks the filters in `names`, in their order.
  static func read(_ names: [String]) throws(CommandFailure) -> [InputFile] {
    guard names.count(where: { $0 == "-" }) <= 1 else {
      throw .usage(standardInputName, "it can be read only once", remedy: "name the other filters as files")
    }
    var files: [InputFile] = []
    for name in names { files.append(try InputFile(name)) }
    return files
  }

  private init(_ path: String) throws(CommandFailure) {
    name = path == "-" ? Self.standardInputName : ArgumentPath.words(path)
    let bytes: [UInt8]
    do {
      bytes = try Self.bytes(path)
    } catch {
      throw .badInput(name, "cannot be read: \(error)")
    }
    do {
      program = try Program(raw: bytes)
    } catch {
      throw .badInput(
        name, error,
        remedy:
          "a raw filter is an array of struct sock_filter, as `cordon compile -f raw` and seccomp_export_bpf write")
    }
  }

  /// The contents, but not much more than the longest filter has: the file may be anything.
  private static func bytes(_ path: String) throws(Errno) -> [UInt8] {
    let limit = (Program.maximumLength + 1) * MemoryLayout<Instruction>.size
    return try Errno.typed {
      let file =
        path == "-" ? FileDescriptor.standardInput : try FileDescriptor.open(ArgumentPath.path(path), .readOnly)
      defer { if path != "-" { try? file.close() } }
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 16384)
      while bytes.count < limit {
        let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
        if count == 0 { break }
        bytes += buffer[..<count]
      }
      return bytes
    }
  }
}
