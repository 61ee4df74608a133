import ArgumentParser
import FilterCompiler

/// `cordon cost`: what filters cost every call, and the kernel.
struct CostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cost",
    abstract: "Says what a filter or a stack of them costs.",
    discussion: """
      Instructions, and their number after the kernel's translation to eBPF, of which all filters of a thread may have \
      32768; the shortest, the longest and the average way through each filter, where every way that its comparisons do \
      not rule out counts once; and the calls that the kernel lets through without running any filter, because all of \
      them allow the number whatever else the call is (Linux 5.11 and later; of the architectures shown those that the \
      machine has). Numbers without a name are not listed. With --weights also how many instructions a call runs through \
      on average, where calls are made as often as a file says; a comparison of what the file says nothing about, such as \
      an argument, counts as going either way equally often. Several files are a stack, the oldest filter first.

      Examples:
        cordon cost filter.bpf
        cordon cost old.bpf new.bpf --json
        cordon cost filter.bpf --weights counts.yaml
      """)

  @Argument(help: "Raw filters (arrays of struct sock_filter); - is standard input.", completion: .file())
  var files: [String]

  @Option(
    help: ArgumentHelp(
      "How often calls are made: a YAML file of counts, as Filters/README.md describes it.", valueName: "file"),
    completion: .file())
  var weights: String?

  @Option(
    help: ArgumentHelp("Look up modules that the weights name in this live process.", valueName: "pid"),
    transform: ProcessNumber.init(parsing:))
  var pid: ProcessNumber?

  @Option(help: "The machine whose calls and code the weights count: x86_64, aarch64 or riscv64. (default: this one)")
  var arch: Architecture?

  @Flag(help: "Write the figures as JSON (cordon.cost/1), with all cached calls.")
  var json = false

  func run() throws {
    let architecture = arch ?? .host
    var counts: CallWeights?
    if let weights {
      guard weights != "-" || !files.contains("-") else {
        throw CommandFailure.usage(
          "--weights", "standard input can be read only once", remedy: "name one of the two as a file")
      }
      let places = try CodePlaces(process: pid, architecture: architecture)
      counts = try ProfileFile.weights(weights, architecture: architecture, in: places)
    } else if pid != nil || arch != nil {
      throw CommandFailure.usage(
        pid != nil ? "--pid" : "--arch", "it says what the weights mean", remedy: "add --weights")
    }
    let cost = StackCost(try InputFile.read(files), weights: counts, architecture: architecture)
    if json {
      try OutputDestination.standardOutput.write(try CostDocument(cost).json())
    } else {
      try OutputDestination.standardOutput.write(cost.text.utf8)
    }
  }
}
