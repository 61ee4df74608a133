/// What disturbed a comparison, and whether too much of it did.
package struct Noise: Sendable, Hashable, Codable {
  /// The share of all processor time that a hypervisor gave to other machines.
  package var steal: Double?
  /// The share of the time in which the baseline was measured that others had its processor.
  package var waited: Double?
  /// How much more the baseline took in the last third of the rounds than in the first: 0.1 is ten percent.
  package var drift: Double?
  /// How many ratios there are to `none` and to `sud-selector`, and how many of them are known no better than to 5 %.
  package var ratios: Int
  package var unsureRatios: Int
  /// Why the figures are to be doubted, in words; empty where they are not.
  package var reasons: [String]

  /// The steal and the waiting that leave the figures what they are.
  private static let harmless = 0.02
  /// More drift than that is more than the ratios are to be good for, though they are taken within rounds.
  private static let steady = 0.05
  /// Half the width of an interval, relative to what lies within.
  private static let sure = 0.05
  /// So large a share of unsure ratios is expected of a quiet machine, where rounds are few.
  private static let usual = 0.25
  /// Rounds that the thirds of a comparison have at least.
  private static let least = 3

  package init(_ results: ComparisonResults, loadBefore: [Double] = [], processors: Int = 0) {
    steal = results.steal
    let baselines = results.combinations.filter { $0.mechanism == Roster.baseline }.compactMap { results[$0].series }
    let elapsed = baselines.reduce(0) { $0 + $1.elapsed }
    waited = elapsed > 0 ? Double(baselines.reduce(0) { $0 + $1.waited }) / Double(elapsed) : nil
    drift = Statistics.median(of: baselines.compactMap(Self.drift))
    let ratios = Self.ratios(results)
    self.ratios = ratios.count
    unsureRatios = ratios.count { !$0 }
    reasons = []

    func percent(_ share: Double) -> String { "\(Figure.decimal(share * 100, digits: 1)) %" }
    // What ran before need not run now, and what others took is known, where the kernel counts it.
    if waited == nil, let load = loadBefore.first, processors > 0, load > Double(processors) / 2 {
      reasons.append("the machine was busy before (load \(Figure.decimal(load, digits: 2)))")
    }
    if let steal, steal > Self.harmless { reasons.append("other machines took \(percent(steal)) of the processors") }
    if let waited, waited > Self.harmless {
      reasons.append("other work had the measuring processor for \(percent(waited)) of the time")
    }
    if let drift, abs(drift) > Self.steady {
      reasons.append(
        "native calls took \(percent(abs(drift))) \(drift > 0 ? "more" : "less") at the end than at the start")
    }
    if Double(unsureRatios) > Double(self.ratios) * Self.usual {
      reasons.append("\(unsureRatios) of \(self.ratios) ratios are known no better than to 5 %")
    }
  }

  /// Whether the figures are to be doubted.
  package var isTooMuch: Bool { !reasons.isEmpty }

  private static func drift(_ series: Series) -> Double? {
    let medians = series.roundMedians.sorted { $0.key < $1.key }.map(\.value)
    let third = medians.count / 3
    guard third >= least, let early = Statistics.median(of: Array(medians.prefix(third))), early > 0,
      let late = Statistics.median(of: Array(medians.suffix(third)))
    else { return nil }
    return late / early - 1
  }

  /// Of each ratio that is reported, whether it is known well.
  private static func ratios(_ results: ComparisonResults) -> [Bool] {
    results.combinations.flatMap { combination -> [Bool] in
      guard let series = results[combination].series else { return [] }
      return [Roster.baseline, Roster.alternative].filter { $0 != combination.mechanism }.compactMap { reference in
        guard let other = results[combination.under(reference)].series,
          let interval = Bootstrap.interval(ofMedian: Statistics.pairedRatios(series, to: other))
        else { return nil }
        return interval[1] - interval[0] <= sure * (interval[0] + interval[1])
      }
    }
  }

  /// In one line, with what was looked at.
  package var words: String {
    func percent(_ share: Double?) -> String { share.map { "\(Figure.decimal($0 * 100, digits: 1)) %" } ?? "unknown" }
    let looked =
      "steal \(percent(steal)), other work on the processor \(percent(waited)), drift \(percent(drift)), "
      + "\(ratios - unsureRatios) of \(ratios) ratios known to 5 % or better"
    return isTooMuch ? "TOO MUCH: \(reasons.joined(separator: "; ")) (\(looked))" : "little: \(looked)"
  }

  private enum CodingKeys: String, CodingKey {
    case steal, waited, drift, ratios, reasons
    case unsureRatios = "unsure_ratios"
  }
}
