import Cordon
import SeededNumbers

/// Regions at random places, the same in every run, where Linux maps nothing of a process.
enum ScatteredRegions {
  /// Far from where programs, their heaps and libraries are mapped: nothing of this process is to be trapped.
  private static let begin: UInt64 = 0x4000_0000_0000

  /// A session in which `count` such regions trap, ready to be activated.
  static func session(
    under mechanism: any MeasuredMechanism, _ count: Int, meanDistance: UInt64
  ) throws(MeasurementError) -> Session {
    guard let session = try mechanism.openSession() else {
      throw .unavailable("no session carries this mechanism")
    }
    let ranges = try ranges(count, meanDistance: meanDistance)
    do throws(SessionError) {
      for range in ranges { try session.trap(range) }
      try session.setHook(GuestAnswer.pass.hook)
    } catch {
      throw MeasurementError(error)
    }
    return session
  }

  /// Ranges of 16 bytes to 4 KiB, one at a random place of each stretch of `meanDistance` bytes. With 4 GiB no two have
  /// their upper halves in common, and a filter takes 4 instructions for each, the most there are.
  static func ranges(_ count: Int, meanDistance: UInt64) throws(MeasurementError) -> [AddressRange] {
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
    } catch { throw .failed("\(error)") }
  }
}
