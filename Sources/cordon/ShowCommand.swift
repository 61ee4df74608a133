import ArgumentParser
import FilterCompiler
import SyscallPolicy
import SystemPackage

/// `cordon show`: raw filters as text.
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Disassembles raw filters, one line an instruction.",
    discussion: """
      Comparisons of the halves of a 64-bit value are written as what they are together. Instruction pointers are those \
      that the kernel reports: the address after the instruction. Several files are a stack, the oldest filter first.

      Examples:
        cordon show filter.bpf
        cordon compile --trap 0x401000-0x402000 -f raw | cordon show -
      """)

  @Argument(help: "Raw filters (arrays of struct sock_filter); - is standard input.", completion: .file())
  var files: [String]

  func run() throws {
    let files = try InputFile.read(self.files)
    let disassembler = Disassembler { SyscallNames.name(of: $0, on: $1) }
    let destination = OutputDestination.standardOutput
    let style = destination.style
    var text = ""
    for (index, file) in files.enumerated() {
      if files.count > 1 {
        let count = file.program.instructions.count
        text +=
          (index > 0 ? "\n" : "")
          + "# filter \(index + 1) of \(files.count): \(file.name), \(count) instruction\(count == 1 ? "" : "s")\n"
      }
      text += disassembler.lines(of: file.program).map { style.text($0) + "\n" }.joined()
    }
    try destination.write(text.utf8)
  }
}
