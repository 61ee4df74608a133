import ArgumentParser
import FilterCompiler

/// `cordon diff`: whether two filters decide every call alike.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Proves that two filters decide every call alike.",
    discussion: """
      For every system call number, architecture, instruction pointer and argument: by reasoning, not by trying. Exit \
      code 0 and one line say that it is so; else there is a call that the two decide differently, as a command line \
      for `cordon check`, and the exit code is 1. A filter that computes what the reasoning does not cover gives \
      neither: exit code 65, with the offset of the instruction.

      Verdicts are compared with their data, but for that of allowed calls, which means nothing.

      Examples:
        cordon diff old.bpf new.bpf
        cordon compile --trap 0x401000-0x402000 -f raw | cordon diff - filter.bpf
      """)

  @Argument(
    help: ArgumentHelp("A raw filter (an array of struct sock_filter); - is standard input.", valueName: "a"),
    completion: .file())
  var first: String

  @Argument(help: ArgumentHelp("Another.", valueName: "b"), completion: .file())
  var second: String

  func run() throws {
    let files = try InputFile.read([first, second])
    let found = try Proof.difference(files) { () throws(ProofError) in
      try Prover.difference(FilterStack([files[0].program]), FilterStack([files[1].program]))
    }
    let (left, right) = (files[0].name, files[1].name)
    guard let found else {
      try OutputDestination.standardOutput.write("\(left) and \(right) decide every call alike\n".utf8)
      return
    }
    let verdicts = Proof.words(found)
    try OutputDestination.standardOutput.write(
      """
      \(left) and \(right) differ: \(verdicts.left) and \(verdicts.right)
        \(CheckInvocation([left], found.call))
        \(CheckInvocation([right], found.call))

      """.utf8)
    throw ExitCode(ExitStatus.no.rawValue)
  }
}
