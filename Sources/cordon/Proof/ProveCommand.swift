import ArgumentParser
import FilterCompiler

/// `cordon prove`: whether a filter does what is asked of it, for every call there can be.
struct ProveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract: "Proves that a filter decides exactly as specified.",
    discussion: """
      For every system call number, architecture, instruction pointer and argument: by reasoning, not by trying. Exit \
      code 0 and one line say that it is so; else there is a call that shows the difference, as a command line for \
      `cordon check`, and the exit code is 1. A filter that computes what the reasoning does not cover (products of \
      two parts of a call, say) gives neither: exit code 65, with the offset of the instruction.

      The specification is written as for `cordon compile`: a profile, or ranges of code, half-open, that say where the system call \
      instructions lie. What straddles the edge of a range gets the default.

      Examples:
        cordon prove filter.bpf --trap 0x7f1234560000-0x7f1234570000
        cordon prove filter.bpf Filters/wine-bands.yaml
        cordon prove filter.bpf --pid 4711 --default trap --allow 'libc.so*'
        cordon prove old.bpf --stacked new.bpf --trap 0x401000-0x402000
      """)

  @Argument(help: "A raw filter (an array of struct sock_filter); - is standard input.", completion: .file())
  var file: String

  @Argument(help: "A profile: a YAML file as Filters/README.md describes it.", completion: .file())
  var profile: String?

  @OptionGroup var regions: RegionOptions

  @Option(
    help: ArgumentHelp("A newer filter of the same stack, which is proved as a whole; in order.", valueName: "file"),
    completion: .file())
  var stacked: [String] = []

  func run() throws {
    guard profile != nil || !regions.isEmpty else {
      throw CommandFailure.usage(
        "prove", "nothing says what the filter is to do",
        remedy: "name a profile, name code with --trap or --allow, or give --default")
    }
    let (map, options, _) = try regions.specification(profile: profile)
    let files = try InputFile.read([file] + stacked)
    let found = try Proof.difference(files) { () throws(ProofError) in
      try Prover.difference(
        FilterStack(files.map(\.program)), RegionSpecification(map, options),
        like: SeccompData(nr: 0, arch: AuditArchitecture(map.architecture)))
    }
    let subject = files.count == 1 ? files[0].name : "the stack of \(files.count) filters"
    guard let found else {
      try OutputDestination.standardOutput.write("\(subject) decides every call as specified\n".utf8)
      return
    }
    let (given, specified) = Proof.words(found)
    // Without regions every place is the same.
    let place = map.regions.isEmpty ? "" : "\(InstructionPlace(endingAt: found.call.instructionPointer, in: map))\n"
    try OutputDestination.standardOutput.write(
      """
      \(subject) does not decide as specified: it answers \(given), and \(specified) is specified
        \(CheckInvocation(files.map(\.name), found.call))
      \(place)
      """.utf8)
    throw ExitCode(ExitStatus.no.rawValue)
  }
}
