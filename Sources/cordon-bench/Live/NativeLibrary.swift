import Glibc
import TrapEngine

/// A shared library with a system call of its own, as the dynamic linker loads it: made in memory, without a compiler.
struct NativeLibrary {
  private let code: UInt64

  private static let page: UInt64 = 4096
  /// Where its code lies in it.
  private static let entry = 0x200

  /// Loads one that spans so many bytes of address space, whole pages, and two at least; what lies between its first and its
  /// last page is empty.
  init(size: UInt64) throws {
    let file = "native library".withCString { name in
      Int32(cordon_gate_call(319, Int(bitPattern: name), 1, 0, 0, 0, 0))  // memfd_create, MFD_CLOEXEC
    }
    guard file >= 0 else { throw LiveFailure("memfd_create: \(file)") }
    // It stays open: the dynamic linker knows a library by its path.
    let image = Self.image(size)
    guard write(file, image, image.count) == image.count else { throw LiveFailure("write: \(errno)") }
    guard let handle = dlopen("/proc/self/fd/\(file)", RTLD_NOW) else {
      throw LiveFailure(dlerror().map { String(cString: $0) } ?? "dlopen")
    }
    // A handle is a struct link_map, which begins with where the library lies (dlinfo(3)).
    code = handle.load(as: UInt64.self) + UInt64(Self.entry)
  }

  /// Makes its call, a getppid.
  func call() -> Int { Overhead.call(code) }

  /// An ELF file of code, which is its first page, and of what the dynamic linker wants to know, its last (elf(5)).
  private static func image(_ size: UInt64) -> [UInt8] {
    let (dynamic, read, write, execute): (UInt64, UInt32, UInt32, UInt32) = (size - page, 4, 2, 1)
    let (dynamicSize, tables): (UInt64, UInt64) = (6 * 16, dynamic + 0x100)
    var image: [UInt8] = []
    func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value) { image += $0 } }
    func segment(_ type: UInt32, _ flags: UInt32, offset: UInt64, at address: UInt64, size: UInt64) {
      for value in [type, flags] { append(value) }
      for value in [offset, address, address, size, size, page] { append(value) }
    }
    // ELF64, little endian; ET_DYN, EM_X86_64; four program headers of 56 bytes behind the header's 64.
    image += [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
    for value in [3, 62] as [UInt16] { append(value) }
    append(1 as UInt32)
    for value in [0, 64, 0] as [UInt64] { append(value) }
    append(0 as UInt32)
    for value in [64, 56, 4, 64, 0, 0] as [UInt16] { append(value) }
    segment(1, read | execute, offset: 0, at: 0, size: page)  // PT_LOAD
    segment(1, read | write, offset: page, at: dynamic, size: 0x200)
    segment(2, read | write, offset: page, at: dynamic, size: dynamicSize)  // PT_DYNAMIC
    segment(0x6474_e551, read | write, offset: 0, at: 0, size: 0)  // PT_GNU_STACK
    image += [UInt8](repeating: 0, count: entry - image.count) + Overhead.code
    image += [UInt8](repeating: 0, count: Int(page) - image.count)
    // DT_HASH (one bucket, one symbol), DT_STRTAB, DT_STRSZ, DT_SYMTAB, DT_SYMENT, DT_NULL.
    for value in [4, tables, 5, tables + 0x40, 10, 1, 6, tables + 0x48, 11, 24, 0, 0] as [UInt64] { append(value) }
    image += [UInt8](repeating: 0, count: Int(page) + 0x100 - image.count)
    for value in [1, 1, 0, 0] as [UInt32] { append(value) }
    image += [UInt8](repeating: 0, count: Int(page) + 0x200 - image.count)
    return image
  }
}
