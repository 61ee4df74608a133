import ArgumentParser
import Cordon
import FilterCompiler
import SyscallPolicy
import SystemPackage

/// `cordon compile`: ranges of code in, one filter out.
struct CompileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile",
    abstract: "Compiles a profile, or ranges of code, into one seccomp filter.",
    discussion: """
      A PROFILE is a YAML file that says which code gets which disposition; those in Filters are ready to use, and its \
      README describes the format; a region may have a policy of its own by system call and argument. Options add to \
      what the profile says.

      A RANGE is 0xSTART-0xEND, half-open as in /proc/PID/maps, and says where the system call instructions lie; the \
      kernel's habit of reporting the address after them is taken care of. With --pid it may also be a module that is \
      mapped in that process: a file name or glob (matched with the whole path where it has a slash), `exe`, `vdso` or \
      `anonymous`. A module stands for its executable mappings.

      Examples:
        cordon compile Filters/only-libc.yaml --pid 4711 -f raw -o filter.bpf
        cordon compile --trap 0x7f1234560000-0x7f1234570000
        cordon compile --pid 4711 --default trap --allow 'libc.so*' --allow vdso
        cordon compile --trap 0x401000-0x402000 -f raw -o filter.bpf
        cordon compile --trap 0x401000-0x402000 -f svg -o filter.svg
        cordon compile Filters/only-libc.yaml --pid 4711 --weights counts.yaml \\
          --attached old.bpf -f raw -o filter.bpf
      """)

  @OptionGroup var regions: RegionOptions

  @Option(
    name: [.short, .long],
    help: """
      text, a disassembly; raw, an array of struct sock_filter; c, the same as C source; json; dot, the decisions as a \
      graph for Graphviz; or svg, a picture of them for a browser.
      """)
  var format: FilterFormat = .text

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("Write to this file; - is standard output.", valueName: "file"), completion: .file())
  var output: String?

  @Option(
    help: ArgumentHelp(
      """
      Make the calls the quickest that this file says are made most: a YAML file of counts, as Filters/README.md describes \
      it. What becomes of calls stays the same.
      """, valueName: "file"), completion: .file())
  var weights: String?

  @Option(
    help: ArgumentHelp(
      """
      A raw filter that is attached already (`cordon dump` reads it): the new one has to fit into what it leaves of the \
      kernel's budget of 32768 eBPF instructions. May be repeated.
      """, valueName: "file"), completion: .file())
  var attached: [String] = []

  @Argument(
    help: "A profile: a YAML file as Filters/README.md describes it; - is standard input.", completion: .file())
  var profile: String?

  func run() throws {
    if profile == nil { try refuseWithoutPurpose() }
    let attached = try InputFile.read(attached)
    var (map, options, places) = try regions.specification(profile: profile)
    if let weights {
      guard weights != "-" || profile != "-" else {
        throw CommandFailure.usage(
          "--weights", "standard input can be read only once", remedy: "name one of the two as a file")
      }
      options.weights = try ProfileFile.weights(weights, architecture: map.architecture, in: places)
    }
    let program = try compile(map, options, places.names)
    try check(program, above: attached) { fits in
      FilterExcess.remedy(merging: map.merges(options, untilItFits: fits)) { places.names.words($0) }
    }
    try write(program, map: map, options)
  }

  /// Refuses a filter that the kernel would refuse with ENOMEM.
  private func check(
    _ program: Program, above attached: [InputFile], remedy: ((Program) -> Bool) -> String
  ) throws(CommandFailure) {
    let before = FilterStack(attached.map(\.program))
    let after = FilterStack(before.programs + [program])
    let excess = after.translatedLength - FilterStack.translatedBudget
    guard excess > 0 else { return }
    let left = max(FilterStack.translatedBudget - before.translatedLength - FilterStack.translatedOverhead, 0)
    throw .badInput(
      profile ?? "compile",
      "the filter takes \(program.translatedLength) eBPF instructions, \(excess) more than the \(left) that the attached"
        + " filters leave of the kernel's \(FilterStack.translatedBudget)",
      remedy: remedy { $0.translatedLength <= left } + ", or attach fewer filters")
  }

  private func refuseWithoutPurpose() throws(CommandFailure) {
    switch regions.default {
    case .allow? where regions.trap.isEmpty, nil where regions.trap.isEmpty:
      throw .usage(
        "compile", "nothing would trap",
        remedy: "name code with --trap, use --default trap with --allow, or name a profile")
    case .trap? where regions.allow.isEmpty:
      throw .usage(
        "compile", "every call would trap, those of the handler of the traps too",
        remedy: "name the code that may call with --allow")
    default: break
    }
  }

  private func compile(
    _ map: RegionMap, _ options: CompileOptions, _ names: CodeNames
  ) throws(CommandFailure) -> Program {
    do {
      return try map.compile(options)
    } catch {
      throw .badInput(profile ?? "compile", error, remedy: error.remedy(naming: names.words))
    }
  }

  private func write(
    _ program: Program, map: RegionMap, _ options: CompileOptions
  ) throws(CommandFailure) {
    let destination = OutputDestination(output)
    let disassembler = Disassembler(architecture: AuditArchitecture(map.architecture)) { number, architecture in
      SyscallNames.name(of: number, on: architecture)
    }
    switch format {
    case .text:
      let style = destination.style
      let lines = disassembler.lines(of: program).map { style.text($0) + "\n" }
      try destination.write(lines.joined().utf8)
    case .raw:
      guard !destination.isTerminal else {
        throw .usage(
          "-f raw", "a terminal cannot show a raw filter", remedy: "write it to a file with -o, or pipe it on")
      }
      try destination.write(program.encoded())
    case .c:
      guard let source = CSourceFormat(name: "filter", disassembler: disassembler) else { return }
      try destination.write(source.text(of: program).utf8)
    case .json:
      try destination.write(JSONFormat(map: map, options: options, disassembler: disassembler).text(of: program).utf8)
    case .dot: try destination.write(DOTFormat(disassembler: disassembler).text(of: program).utf8)
    case .svg: try destination.write(SVGFormat(disassembler: disassembler).text(of: program).utf8)
    }
  }
}
