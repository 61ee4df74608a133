/// How many instructions a call takes through a program.
public struct PathLengths: Hashable, Sendable {
  /// How many ways through the program there are; a floating-point number because there can be very many.
  public let ways: Double
  /// The instructions of the shortest way.
  public let shortest: Int
  /// The instructions of the longest.
  public let longest: Int
  /// The mean over all ways, each counted once, whatever calls may take it.
  public let average: Double
}

extension Program {
  /// The lengths of the ways through the program, without those that comparisons on them rule out as far as the bounds
  /// that all ways to an instruction have in common tell.
  ///
  /// - Complexity: linear in the number of instructions.
  public var pathLengths: PathLengths {
    let flow = ProgramFlow(self)
    var found = [PathLengths?](repeating: nil, count: instructions.count)
    for index in instructions.indices.reversed() {
      let arms = Set(flow.arms(from: index).map(\.target)).compactMap { found[$0] }
      guard let first = arms.first else {
        // The end of a way, or where none leads.
        if flow.operations[index].distances.isEmpty {
          found[index] = PathLengths(ways: 1, shortest: 1, longest: 1, average: 1)
        }
        continue
      }
      let ways = arms.reduce(0) { $0 + $1.ways }
      found[index] = PathLengths(
        ways: ways, shortest: 1 + arms.reduce(first.shortest) { min($0, $1.shortest) },
        longest: 1 + arms.reduce(first.longest) { max($0, $1.longest) },
        average: 1 + arms.reduce(0) { $0 + $1.average * ($1.ways / ways) })
    }
    guard let whole = found[0] else { preconditionFailure("a checked program ends on every way") }
    return whole
  }
}
