import Glibc
import LauncherShims
import SystemPackage

/// A file in memory, of zeros at first, that can be executed and mapped.
struct MemoryFile: ~Copyable {
  let descriptor: Int32
  /// In bytes.
  let size: Int

  init(size: Int) throws(Errno) {
    let result = cordon_memory_file(UInt64(size))
    guard result >= 0 else { throw Errno(rawValue: Int32(-result)) }
    descriptor = Int32(result)
    self.size = size
  }

  deinit { close(descriptor) }

  /// Writes at an offset. What is never written are zeros that take no memory.
  /// - Throws: the errno of pwrite(2).
  func write(_ bytes: RawSpan, at offset: Int) throws(Errno) {
    let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    guard written == bytes.byteCount else { throw written < 0 ? Errno(rawValue: errno) : .noSpace }
  }

  /// Maps all of it for reading and executing, for the caller to unmap.
  /// - Parameter address: where to and nowhere else.
  /// - Throws: the errno of mmap(2); EEXIST where something lies at the address.
  func map(at address: UInt64) throws(Errno) -> UnsafeMutableRawPointer {
    let fixed: CInt = 0x100000  // MAP_FIXED_NOREPLACE, Linux 4.17; a mere hint before that
    let wanted = UnsafeMutableRawPointer(bitPattern: UInt(address))
    guard let memory = mmap(wanted, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | fixed, descriptor, 0),
      memory != MAP_FAILED
    else { throw Errno(rawValue: errno) }
    guard memory == wanted else {
      munmap(memory, size)
      throw .fileExists
    }
    return memory
  }

  /// Has it stay as it is.
  func seal() throws(Errno) {
    let result = cordon_memory_file_seal(descriptor)
    guard result == 0 else { throw Errno(rawValue: Int32(-result)) }
  }
}
