import Cordon

/// Activating a session of many small regions: compiling the filter, rehearsing it in a child and loading it.
package struct ActivationWorkload: Workload {
  package let name = "activation"
  package let summary = "activating a session of 1,000 scattered regions"

  static let regions = 1_000
  /// Far from where Linux maps programs, their heaps and libraries: nothing of this process is to be trapped.
  private static let regionsBegin: UInt64 = 0x4000_0000_0000
  private static let meanDistance: UInt64 = 1 << 32

  package init() {}

  package var parameter: [String: Int] { ["regions": Self.regions] }

  package func isMeasured(under mechanism: any MeasuredMechanism) -> Bool { mechanism.takesManyRegions }

  package func measure(
    under mechanism: any MeasuredMechanism, _ sampling: Sampling
  ) throws(MeasurementError) -> Measurement {
    guard let session = try mechanism.openSession() else {
      throw .unavailable("no session carries this mechanism")
    }
    do throws(SessionError) {
      for range in try Self.scattered() { try session.trap(range) }
      try session.setHook(.passing)
      // Once a process: a session is activated once. The clock's own cost is nothing beside it.
      let start = MonotonicClock.now()
      try session.activate()
      let elapsed = MonotonicClock.now() - start
      return Measurement(operationsPerSample: 1, picoseconds: [UInt64(elapsed) * 1_000])
    } catch {
      throw MeasurementError(error)
    }
  }

  /// Regions of 16 bytes to 4 KiB, one at a random place of each stride, the same in every run.
  static func scattered() throws(SessionError) -> [AddressRange] {
    var random = SplitMix64(seed: 1)
    do throws(RegionError) {
      var ranges: [AddressRange] = []
      for index in 0..<UInt64(regions) {
        let length = UInt64.random(in: 16...4096, using: &random)
        let offset = UInt64.random(in: 0..<(meanDistance - length), using: &random)
        let start = regionsBegin + index * meanDistance + offset
        ranges.append(try AddressRange(start: start, end: start + length))
      }
      return ranges
    } catch { throw .region(error) }
  }
}
