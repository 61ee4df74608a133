/// How many instructions a call takes through a program.
public struct PathLengths: Hashable, Sendable {
  /// How many ways through the program there are: a floating-point number because there can be very many, and the largest
  /// one where there are even more.
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
  /// that all ways to an instruction have in common tell. A division by an `X` that can be 0 ends one way there.
  ///
  /// - Complexity: linear in the number of instructions.
  public var pathLengths: PathLengths {
    let flow = ProgramFlow(self)
    var found = [Rest?](repeating: nil, count: instructions.count)
    for index in instructions.indices.reversed() {
      var ways = Set(flow.arms(from: index).map(\.target)).compactMap { found[$0] }
      if flow.canEnd(at: index) { ways.append(.end) }
      found[index] = ways.first.map { first in ways.dropFirst().reduce(first) { $0.or($1) }.oneLonger }
    }
    guard let whole = found[0] else { preconditionFailure("a checked program ends on every way") }
    return PathLengths(
      ways: whole.ways.value, shortest: whole.shortest, longest: whole.longest, average: whole.average)
  }
}

/// What is left of the ways through a program at one instruction.
private struct Rest {
  var ways: LargeCount
  var shortest: Int
  var longest: Int
  var average: Double

  /// A way that is over.
  static let end = Rest(ways: .one, shortest: 0, longest: 0, average: 0)

  /// These ways and others.
  func or(_ other: Rest) -> Rest {
    let share = other.ways.share(of: ways)
    return Rest(
      ways: ways.plus(other.ways), shortest: min(shortest, other.shortest), longest: max(longest, other.longest),
      average: average + (other.average - average) * share)
  }

  /// The same ways, each with an instruction before it.
  var oneLonger: Rest { Rest(ways: ways, shortest: shortest + 1, longest: longest + 1, average: average + 1) }
}

/// A count beyond all floating-point numbers: each of 4096 instructions can double it.
private struct LargeCount {
  /// At least 1 and less than 2.
  var significand: Double
  var exponent: Int

  static let one = LargeCount(significand: 1, exponent: 0)

  func plus(_ other: LargeCount) -> LargeCount {
    let (larger, smaller) = exponent >= other.exponent ? (self, other) : (other, self)
    let sum = larger.significand + smaller.scaled(below: larger.exponent)
    return sum < 2
      ? LargeCount(significand: sum, exponent: larger.exponent)
      : LargeCount(significand: sum / 2, exponent: larger.exponent + 1)
  }

  /// How much of the sum of both this is, 0...1.
  func share(of other: LargeCount) -> Double {
    let highest = max(exponent, other.exponent)
    let own = scaled(below: highest)
    return own / (own + other.scaled(below: highest))
  }

  /// The count in units of 2^highest, 0 where it is too small to tell.
  private func scaled(below highest: Int) -> Double {
    Double(sign: .plus, exponent: max(exponent - highest, -1000), significand: significand)
  }

  var value: Double {
    exponent > 1023
      ? .greatestFiniteMagnitude : Double(sign: .plus, exponent: exponent, significand: significand)
  }
}
