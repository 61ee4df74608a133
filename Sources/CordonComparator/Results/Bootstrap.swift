import SeededNumbers

/// How sure a median is, told by drawing from the same values again and again (Efron, 1979).
enum Bootstrap {
  private static let draws = 2_000
  private static let seed: UInt64 = 1979

  /// Between which two values the median lies with 95 % confidence; nil of fewer than three values. The same values
  /// give the same answer.
  static func interval(ofMedian values: [Double]) -> [Double]? {
    interval(of: values) { Statistics.median(of: $0) }
  }

  /// The same for anything that is computed from values that belong to rounds; what cannot be computed from some of the
  /// drawn values is left out.
  static func interval<Value>(of values: [Value], _ statistic: ([Value]) -> Double?) -> [Double]? {
    guard values.count >= 3 else { return nil }
    var random = SplitMix64(seed: seed)
    var sample = values
    var found: [Double] = []
    found.reserveCapacity(draws)
    for _ in 0..<draws {
      for index in sample.indices { sample[index] = values[Int.random(in: values.indices, using: &random)] }
      if let value = statistic(sample) { found.append(value) }
    }
    guard found.count > draws / 2 else { return nil }
    found.sort()
    return [found[found.count * 25 / 1000], found[found.count * 975 / 1000]]
  }
}
