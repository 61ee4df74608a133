import ArgumentParser
import CordonComparator
import FoundationEssentials

extension CompareCommand {
  /// `cordon compare probe`: the process that tries one trait of one mechanism. Not for people: `compare` starts it.
  struct TraitProbe: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "probe", abstract: "Try one trait of one mechanism and print what was found.", shouldDisplay: false)

    // Not an option: the parent command has an option of this name, which would take it.
    @Argument var mechanism: String
    @Argument var trait: String

    func run() throws {
      guard let mechanism = Roster.mechanisms.first(where: { $0.name == mechanism }), let trait = Trait(rawValue: trait)
      else { throw CommandFailure.usage("compare probe", "there is no such mechanism or trait") }
      let finding = Probe(mechanism, trait).run()
      print(String(decoding: try JSONEncoder().encode(finding), as: UTF8.self))
    }
  }
}
