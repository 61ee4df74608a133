import Cordon

/// Regions at random places, the same in every run, where Linux maps nothing of a process.
enum ScatteredRegions {
  /// Far from where programs, their heaps and libraries are mapped: nothing of this process is to be trapped.
  private static let begin: UInt64 = 0x4000_0000_0000
  private static let meanDistance: UInt64 = 1 << 32

  /// Ranges of 16 bytes to 4 KiB, one at a random place of each stride of 4 GiB.
  static func ranges(_ count: Int) throws(SessionError) -> [AddressRange] {
    var random = SplitMix64(seed: 1)
    do throws(RegionError) {
      var ranges: [AddressRange] = []
      for index in 0..<UInt64(count) {
        let length = UInt64.random(in: 16...4096, using: &random)
        let offset = UInt64.random(in: 0..<(meanDistance - length), using: &random)
        let start = begin + index * meanDistance + offset
        ranges.append(try AddressRange(start: start, end: start + length))
      }
      return ranges
    } catch { throw .region(error) }
  }
}
