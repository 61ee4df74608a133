import ArgumentParser

/// `cordon doctor`: what this kernel, machine and user can do.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Says what this kernel, machine and user can do.",
    discussion: """
      One line a fact, with the kernel release that brought it, and with the reason and the remedy for each no. The \
      exit code is 0 where seccomp filters can be used, else 69.

      Examples:
        cordon doctor
        cordon doctor --json
      """)

  @Flag(help: "Write the facts as JSON.")
  var json = false

  func run() throws {
    let diagnosis = Diagnosis.current()
    if json {
      try OutputDestination.standardOutput.write(try DoctorDocument(diagnosis).json())
    } else {
      try OutputDestination.standardOutput.write(diagnosis.text().utf8)
    }
    guard diagnosis.canFilter else {
      throw CommandFailure.unavailable(
        "doctor", "seccomp filters cannot be used here", remedy: "the facts say why, and since which kernel they can")
    }
  }
}
