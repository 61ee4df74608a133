import SeededNumbers

/// How sure a median is, told by drawing from the same values again and again (Efron, 1979).
enum Bootstrap {
  private static let draws = 2_000
  private static let seed: UInt64 = 1979

  /// Between which two values the median lies with 95 % confidence; nil of fewer than three values. The same values
  /// give the same answer.
  static func interval(ofMedian values: [Double]) -> [Double]? {
    guard values.count >= 3 else { return nil }
    var random = SplitMix64(seed: seed)
    var sample = values
    var medians: [Double] = []
    medians.reserveCapacity(draws)
    for _ in 0..<draws {
      for index in sample.indices { sample[index] = values[Int.random(in: values.indices, using: &random)] }
      if let median = Statistics.median(of: sample) { medians.append(median) }
    }
    medians.sort()
    return [medians[draws * 25 / 1000], medians[draws * 975 / 1000]]
  }
}
