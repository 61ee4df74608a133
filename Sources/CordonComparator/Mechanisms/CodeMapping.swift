import Glibc
import SystemPackage

/// Machine code in executable memory of its own, outside any session.
package struct CodeMapping: ~Copyable {
  /// Where the code begins.
  package let address: UInt
  private let size: Int

  /// - Throws: ``MeasurementError/failed(_:)`` where the memory cannot be mapped.
  package init(_ code: [UInt8]) throws(MeasurementError) {
    size = max(code.count, 1)
    guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
    else { throw .failed("executable memory could not be mapped: \(Errno(rawValue: errno))") }
    code.withUnsafeBytes { bytes in
      if let first = bytes.baseAddress { memcpy(base, first, bytes.count) }
    }
    guard mprotect(base, size, PROT_READ | PROT_EXEC) == 0 else {
      let refused = Errno(rawValue: errno)
      munmap(base, size)
      throw .failed("memory could not be made executable: \(refused)")
    }
    address = UInt(bitPattern: base)
  }

  deinit { munmap(UnsafeMutableRawPointer(bitPattern: address), size) }
}
