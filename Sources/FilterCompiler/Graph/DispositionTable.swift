/// The dispositions of a map, each with a small number, so that thousands of boundaries compare numbers instead of policies.
struct DispositionTable {
  /// The place of a disposition in ``all``.
  typealias Number = Int32

  /// By their numbers, in the order in which they were met.
  private(set) var all: [Disposition] = []
  /// By number, the strictest that a disposition does to a call.
  private var strictest: [Action] = []
  /// The actions of dispositions that are no policies, ascending, and the number of each.
  private var actions: [UInt32] = []
  private var numbers: [Number] = []

  /// The number of a disposition, a new one where it has none.
  mutating func number(of disposition: Disposition) -> Number {
    guard let action = disposition.action else {
      return all.firstIndex(of: disposition).map(Number.init) ?? append(disposition)
    }
    let place = actions.partitioningIndex { $0 >= action.rawValue }
    if place < actions.count, actions[place] == action.rawValue { return numbers[place] }
    actions.insert(action.rawValue, at: place)
    numbers.insert(Number(all.count), at: place)
    return append(disposition)
  }

  private mutating func append(_ disposition: Disposition) -> Number {
    all.append(disposition)
    strictest.append(disposition.strictest)
    return Number(all.count - 1)
  }

  /// The place beside the stricter of two dispositions, so that what comes into the gap later is not caught by it.
  func besideStricter<Place>(_ places: ClosedRange<Place>, _ before: Number, _ after: Number) -> Place {
    strictest[Int(before)].isStricter(than: strictest[Int(after)]) ? places.lowerBound : places.upperBound
  }
}
