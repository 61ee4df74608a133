/// Under which conditions a workload is measured.
package struct Conditions: Sendable, Hashable {
  package var sampling: Sampling
  /// The processor that the measuring thread stays on; nil where it may move.
  package var processor: Int?
  /// All processors that the process may use.
  package var processors: [Int]
  /// The folder with what real programs work on; nil where there is none.
  package var material: String?

  package init(sampling: Sampling, processor: Int? = nil, processors: [Int] = [], material: String? = nil) {
    self.sampling = sampling
    self.processor = processor
    self.processors = processors
    self.material = material
  }
}
