import FilterCompiler

/// Where an instruction lies among the regions of a map, in words.
struct InstructionPlace: CustomStringConvertible {
  let description: String

  /// The place of the instruction that reports `pointer`, the address after it.
  init(endingAt pointer: UInt64, in map: RegionMap) {
    let length = map.architecture.instructionLength
    guard pointer >= length else {
      description = "No instruction lies below 0x0, so no region decides, and the default is \(map.defaultDisposition)."
      return
    }
    let start = pointer - length
    let subject = "The instruction at \(hexadecimal(start))"
    let touched = map.regions.filter { $0.range.start < pointer && start < $0.range.end }
    if let region = touched.first(where: { $0.range.start <= start && pointer <= $0.range.end }) {
      description = "\(subject) lies in the region \(region.range): \(region.disposition)."
    } else if touched.isEmpty {
      description = "\(subject) lies in no region: the default is \(map.defaultDisposition)."
    } else {
      let edges = touched.map { region in
        "the \(region.range.start > start ? "start" : "end") of the region \(region.range) (\(region.disposition))"
      }
      description = """
        \(subject) straddles \(edges.joined(separator: " and ")), so it gets the default: \(map.defaultDisposition).
        """
    }
  }
}
