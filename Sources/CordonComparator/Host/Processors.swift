import CLinux
import Glibc

/// The processors that the calling thread may run on (sched_setaffinity(2)).
package enum Processors {
  private static let bitsPerWord = 64

  /// Their numbers, ascending; empty where the kernel does not say.
  package static func permitted() -> [Int] {
    var set = cpu_set_t()
    let known = withUnsafeMutablePointer(to: &set) { set in
      linux_call(Int(SYS_sched_getaffinity), 0, MemoryLayout<cpu_set_t>.size, Int(bitPattern: set), 0, 0, 0)
    }
    guard known > 0 else { return [] }
    return withUnsafeBytes(of: &set) { bytes in
      let words = bytes.bindMemory(to: UInt64.self)
      return (0..<words.count * bitsPerWord).filter { words[$0 / bitsPerWord] >> ($0 % bitsPerWord) & 1 == 1 }
    }
  }

  /// Keeps the calling thread on one processor.
  /// - Returns: Whether the kernel agreed.
  package static func pin(to processor: Int) -> Bool {
    var set = cpu_set_t()
    let known = withUnsafeMutableBytes(of: &set) { bytes in
      let words = bytes.bindMemory(to: UInt64.self)
      guard processor >= 0, processor < words.count * bitsPerWord else { return false }
      words[processor / bitsPerWord] |= 1 << (processor % bitsPerWord)
      return true
    }
    guard known else { return false }
    return withUnsafeMutablePointer(to: &set) { set in
      linux_call(Int(SYS_sched_setaffinity), 0, MemoryLayout<cpu_set_t>.size, Int(bitPattern: set), 0, 0, 0) == 0
    }
  }
}
