import FilterCompiler

/// A raw filter named on the command line; `-` is standard input.
struct InputFile {
  /// What messages call it.
  let name: String
  let program: Program

  /// Not much more than the longest filter has.
  private static let limit = (Program.maximumLength + 1) * MemoryLayout<Instruction>.size

  /// Reads and checks the filters in `names`, in their order.
  static func read(_ names: [String]) throws(CommandFailure) -> [InputFile] {
    var files: [InputFile] = []
    for file in try ReadableFile.files(names, others: "filters") { files.append(try InputFile(file)) }
    return files
  }

  private init(_ file: ReadableFile) throws(CommandFailure) {
    name = file.name
    let bytes = try file.bytes(limit: Self.limit)
    do {
      program = try Program(raw: bytes)
    } catch {
      throw .badInput(
        name, error,
        remedy:
          "a raw filter is an array of struct sock_filter, as `cordon compile -f raw` and seccomp_export_bpf write")
    }
  }
}
