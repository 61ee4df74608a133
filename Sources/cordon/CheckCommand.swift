import ArgumentParser
import FilterCompiler
import SyscallPolicy
import SystemPackage

/// `cordon check`: what filters do with one call, and why.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Says what a filter or a stack of them does with one call.",
    discussion: """
      The first line is the verdict; below it stands each filter's own answer with the instructions that led to it. Of \
      several filters, the oldest first, the strictest answer wins, and of equally strict ones the newest filter's.

      Examples:
        cordon check filter.bpf --nr getppid --ip 0x7f1234560002
        cordon check old.bpf new.bpf --nr 1 --arg 0=2 --arg 1=0x7ffd00001000
      """)

  @Argument(help: "Raw filters (arrays of struct sock_filter); - is standard input.", completion: .file())
  var files: [String]

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The system call, by number or name.", valueName: "number|name"))
  var nr: String

  @Option(
    help: ArgumentHelp(
      "The address after the instruction, as the kernel sees it. (default: 0x0)", valueName: "address"),
    transform: Address.init(parsing:))
  var ip = Address(value: 0)

  @Option(
    help: "Whose call it is: x86_64, i386, aarch64, riscv64, or an AUDIT_ARCH_* value in hexadecimal.")
  var arch: AuditArchitecture = AuditArchitecture(.host)

  @Option(
    help: ArgumentHelp("Argument I, 0 to 5, is V; those not named are 0.", valueName: "i=v"))
  var arg: [String] = []

  func run() throws {
    let number = try CallNumber.parse(nr, on: arch)
    var data = SeccompData(nr: number, arch: arch, instructionPointer: ip.value)
    var given: Set<Int> = []
    for text in arg {
      let argument = try CallArgument.parse(text)
      guard given.insert(argument.index).inserted else {
        throw CommandFailure.usage("--arg", "argument \(argument.index) is given twice")
      }
      data.arguments[argument.index] = argument.value
    }
    let files = try InputFile.read(self.files)
    try OutputDestination.standardOutput.write(explanation(data, files).utf8)
  }

  private func explanation(_ data: SeccompData, _ files: [InputFile]) -> String {
    let style = OutputDestination.standardOutput.style
    let disassembler = Disassembler(architecture: arch) { SyscallNames.name(of: $0, on: $1) }
    let result = FilterStack(files.map(\.program)).evaluate(data)
    var text = style.text("\(result.action)", as: result.action) + "\n"
    for (index, (file, answer)) in zip(files, result.answers).enumerated() {
      let place = files.count > 1 ? "filter \(index + 1) of \(files.count), \(file.name)" : file.name
      let decides = files.count > 1 && index == result.deciding ? ", which decides" : ""
      text += "\n# \(place): \(answer.action)\(decides)\n"
      let lines = disassembler.lines(of: file.program)
      text += answer.path.map { style.text(lines[$0]) + "\n" }.joined()
    }
    return text
  }
}
