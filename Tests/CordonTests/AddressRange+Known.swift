import FilterCompiler

extension AddressRange {
  /// A range between bounds that are known to be in order.
  init(known start: UInt64, _ end: UInt64) {
    do { try self.init(start: start, end: end) } catch { preconditionFailure("\(error)") }
  }
}
