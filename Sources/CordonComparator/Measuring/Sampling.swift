/// How long one process measures, and in which portions.
package struct Sampling: Sendable, Hashable, Codable {
  /// Nanoseconds of running before the first sample.
  package var warmUp: Int64
  /// Nanoseconds of sampling.
  package var duration: Int64
  /// Nanoseconds that a batch is to take; one batch is one sample.
  package var batch: Int64

  package init(warmUp: Int64, duration: Int64, batch: Int64) {
    self.warmUp = warmUp
    self.duration = duration
    self.batch = batch
  }
}
