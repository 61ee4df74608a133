import FilterCompiler
import Glibc

extension StackCost {
  /// As many names stand in the text as fit into about two lines.
  private static let mostNames = 16

  /// The cost for people.
  var text: String {
    var text = ""
    for (index, filter) in filters.enumerated() {
      let number = filters.count > 1 ? "filter \(index + 1) of \(filters.count), " : ""
      text += "# \(number)\(filter.name)\n"
      text += Self.line("instructions", "\(filter.instructions) of \(Program.maximumLength)")
      text += Self.line("eBPF", "\(filter.translated) instructions")
      text += Self.line("path", Self.path(filter.path))
      if let expected = filter.expected {
        text += Self.line("weighted", "\((expected * 100).rounded() / 100) instructions a call")
      }
      text += "\n"
    }
    let budget = FilterStack.translatedBudget
    if filters.count > 1 { text += "# all \(filters.count) filters\n" } else { text += "# in the kernel\n" }
    let share = (Double(translated) / Double(budget) * 1000).rounded() / 10
    text += Self.line("eBPF budget", "\(translated) of \(budget), \(share) %")
    if translated > budget {
      text += Self.line("", "\(translated - budget) too many: the kernel refuses the last filter with ENOMEM")
    }
    if filters.count > 1 {
      text += Self.line("path", "\(path.shortest) to \(path.longest) instructions: a call runs through every filter")
    }
    for (index, cached) in cached.enumerated() {
      text += Self.line(index == 0 ? "allow bitmap" : "", "\(cached.architecture): \(Self.words(cached))")
    }
    return text
  }

  private static func line(_ title: String, _ value: String) -> String {
    title + String(repeating: " ", count: 14 - title.count) + value + "\n"
  }

  private static func path(_ path: PathLengths) -> String {
    if path.ways == 1 { return "\(path.longest) instruction\(path.longest == 1 ? "" : "s"), the only way" }
    let average = (path.average * 10).rounded() / 10
    // A count that a Double cannot hold exactly is not printed to its last digit.
    let exponent = path.ways < 1e9 ? 0 : Int(log10(path.ways))
    let ways = exponent == 0 ? "\(Int(path.ways))" : "more than 10^\(exponent)"
    return "\(path.shortest) to \(path.longest) instructions, \(average) on average over its \(ways) ways"
  }

  private static func words(_ cached: Cached) -> String {
    let count = cached.names.count
    guard count > 0 else { return "none of \(cached.named) calls" }
    guard count < cached.named else { return "all \(count) calls" }
    let shown = cached.names.prefix(mostNames).joined(separator: ", ")
    return "\(count) of \(cached.named) calls: \(shown)" + (count > mostNames ? ", and \(count - mostNames) more" : "")
  }
}
