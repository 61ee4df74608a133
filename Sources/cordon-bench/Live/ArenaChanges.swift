import Cordon

/// 10,000 regions of 64 KiB come and go in the session's own block.
enum ArenaChanges {
  static func run() throws -> [String: Double] {
    let session = try Overhead.session(.seccomp, regions: 1)
    let code = Overhead.code + [UInt8](repeating: 0x90, count: (64 << 10) - Overhead.code.count)
    let filters = session.statistics.filters
    let before = getppidNanoseconds()
    var kept: [Region] = []
    for change in 0..<5_000 {
      let region = try session.mapExecutable(code)
      guard Overhead.call(region.range.start) == Overhead.answer else { throw LiveFailure("change \(change)") }
      kept.append(region)
      // Some live longer than others.
      if kept.count > 64 { try session.unmap(kept.remove(at: change * 7919 % kept.count)) }
    }
    for region in kept { try session.unmap(region) }
    guard session.statistics.changes == 10_000 else { throw LiveFailure("\(session.statistics.changes) changes") }
    return [
      "ratio": getppidNanoseconds() / before, "filters": Double(session.statistics.filters - filters),
    ]
  }
}
