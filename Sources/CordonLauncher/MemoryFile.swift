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

  /// Maps all of it for reading and writing, for the caller to unmap.
  /// - Parameter address: where to and nowhere else; anywhere where it is 0.
  /// - Throws: the errno of mmap(2); EEXIST where something lies at the address.
  func map(at address: UInt64 = 0) throws(Errno) -> UnsafeMutableRawPointer {
    let fixed: CInt = address == 0 ? 0 : 0x100000  // MAP_FIXED_NOREPLACE, Linux 4.17; a mere hint before that
    let wanted = UnsafeMutableRawPointer(bitPattern: UInt(address))
    guard let memory = mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_SHARED | fixed, descriptor, 0),
      memory != MAP_FAILED
    else { throw Errno(rawValue: errno) }
    if let wanted, memory != wanted {
      munmap(memory, size)
      throw .fileExists
    }
    return memory
  }

  /// Has it stay as it is, but for what is written through mappings that are there already.
  func seal() throws(Errno) {
    let result = cordon_memory_file_seal(descriptor)
    guard result == 0 else { throw Errno(rawValue: Int32(-result)) }
  }
}
