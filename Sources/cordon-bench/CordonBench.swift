import ArgumentParser
import SystemPackage

/// `make bench`: the project's bars, measured, a line a figure; exits 1 where one is missed.
@main
struct CordonBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cordon-bench",
    abstract: "Measures the project's bars, a line a figure.",
    discussion: """
      Each line is NAME VALUE UNIT  bar OP LIMIT  ok|MISSED, printed as soon as it is known, or NAME - UNIT  bar OP LIMIT  \
      not measured: REASON. Exits 1 where a bar is missed or not measured. The program `cordon` is expected beside this one.

      Examples:
        cordon-bench --json bench.json
        cordon-bench compiler run
      """,
    subcommands: [Measure.self, LiveMeasurement.self], defaultSubcommand: Measure.self)

  static func complain(_ message: String) {
    _ = try? FileDescriptor.standardError.writeAll("cordon-bench: \(message)\n".utf8)
  }
}
