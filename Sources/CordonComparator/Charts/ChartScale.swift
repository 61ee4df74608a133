import Glibc

/// Maps values to places on an axis, and says where its ticks are.
struct ChartScale {
  /// The values with a tick, in ascending order.
  let ticks: [Double]
  private let first: Double
  private let last: Double
  private let place: (Double) -> Double

  /// An axis from 0 to a round number that is at least `maximum`, with four to eight ticks.
  init(upTo maximum: Double, length: Double) {
    let highest = maximum > 0 && maximum.isFinite ? maximum : 1
    let rough = highest / 5
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? power * 10
    let steps = Int((highest / step).rounded(.up))
    let end = Double(steps) * step
    ticks = (0...steps).map { Double($0) * step }
    (first, last) = (0, end)
    place = { $0 / end * length }
  }

  /// An axis on which doubling is always the same distance, over positive values; 0 has a place of its own before them.
  init(doublingOver values: [Double], length: Double) {
    let positive = values.filter { $0 > 0 }
    let hasZero = values.contains { $0 <= 0 }
    let low = log2(positive.min() ?? 1)
    let high = max(log2(positive.max() ?? 2), low + 1)
    // Zero stands one doubling before the least value.
    let begin = hasZero ? low - 1 : low
    ticks = Array(Set(values)).sorted()
    (first, last) = (values.min() ?? 0, values.max() ?? 1)
    place = { ($0 > 0 ? log2($0) - begin : 0) / (high - begin) * length }
  }

  /// An axis on which ten times as much is always the same distance, from the power of ten below the least of the
  /// positive values to the one above the largest.
  init(tenfoldOver values: [Double], length: Double) {
    let low = floor(log10(values.min() ?? 1))
    let high = max(ceil(log10(values.max() ?? 10)), low + 1)
    ticks = stride(from: low, through: high, by: 1).map { pow(10, $0) }
    (first, last) = (pow(10, low), pow(10, high))
    place = { (log10($0) - low) / (high - low) * length }
  }

  /// How far from the start of the axis a value lies.
  func position(of value: Double) -> Double { place(min(max(value, first), last)) }
}
