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
      machine has). Numbers without a name are not listed. Several files are a stack, the oldest filter first.

      Examples:
        cordon cost filter.bpf
        cordon cost old.bpf new.bpf --json
      """)

  @Argument(help: "Raw filters (arrays of struct sock_filter); - is standard input.")
  var files: [String]

  @Flag(help: "Write the figures as JSON (cordon.cost/1), with all cached calls.")
  var json = false

  func run() throws {
    let cost = StackCost(try InputFile.read(files))
    if json {
      try OutputDestination.standardOutput.write(try CostDocument(cost).json())
    } else {
      try OutputDestination.standardOutput.write(cost.text.utf8)
    }
  }
}
