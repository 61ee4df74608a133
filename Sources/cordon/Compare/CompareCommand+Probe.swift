import ArgumentParser
import CordonComparator
import FoundationEssentials

extension CompareCommand {
  /// `cordon compare probe`: the process that tries one capability of one mechanism. Not for people: `compare` starts it.
  struct CapabilityProbe: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "probe", abstract: "Tries one capability of one mechanism and prints what was found.",
      shouldDisplay: false)

    // Not an option: the parent command has an option of this name, which would take it.
    @Argument var mechanism: String
    @Argument var capability: String

    func run() throws {
      guard let mechanism = Roster.mechanisms.first(where: { $0.name == mechanism }),
        let capability = Capability(rawValue: capability)
      else { throw CommandFailure.usage("compare probe", "there is no such mechanism or capability") }
      let finding = Probe(mechanism, capability).run()
      print(String(decoding: try JSONEncoder().encode(finding), as: UTF8.self))
    }
  }
}
