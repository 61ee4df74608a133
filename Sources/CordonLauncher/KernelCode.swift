import Glibc
import LauncherShims

/// The pages of code that the kernel gives every program, the vDSO: the same in all of them, at other addresses.
enum KernelCode {
  /// Writes code behind that of the vDSO, on the process's own copy of the page. Such a write, through /proc, goes to pages
  /// that are not writable, so none is writable and executable at once.
  /// - Parameter stack: the process's stack pointer, before its first instruction.
  /// - Returns: where the code lies now; nil where there is no room, no vDSO, or no such process any more.
  static func write(_ code: UnsafeRawBufferPointer, into process: Int32, stack: UInt64) -> UInt64? {
    let room = cordon_vdso_room(UInt64(code.count))
    let memory = open("/proc/\(process)/mem", O_RDWR | O_CLOEXEC)
    guard room != 0, memory >= 0 else { return nil }
    defer { close(memory) }
    guard let base = auxiliaryValue(33, memory, stack) else { return nil }  // AT_SYSINFO_EHDR
    let address = base + room
    return pwrite(memory, code.baseAddress, code.count, off_t(address)) == code.count ? address : nil
  }

  /// Whether the kernel keeps the process from being looked at: an ordinary user's whose program may not be read.
  static func isHidden(in process: Int32) -> Bool {
    let file = open("/proc/\(process)/auxv", O_RDONLY | O_CLOEXEC)
    guard file < 0 else {
      close(file)
      return false
    }
    return errno == EACCES || errno == EPERM
  }

  /// A value of the auxiliary vector, which the kernel leaves on the stack above the arguments and the environment.
  private static func auxiliaryValue(_ key: UInt64, _ memory: Int32, _ stack: UInt64) -> UInt64? {
    var words = StackWords(memory: memory, at: stack)
    guard let count = words.next() else { return nil }
    words.skip(count + 1)
    while let variable = words.next(), variable != 0 {}
    while let found = words.next(), found != 0, let value = words.next() {
      if found == key { return value }
    }
    return nil
  }
}

/// The words of a process's stack, one after the other from an address on.
private struct StackWords {
  private let memory: Int32
  private var address: UInt64
  private var words: [UInt64] = []
  private var used = 0

  init(memory: Int32, at address: UInt64) {
    self.memory = memory
    self.address = address
  }

  mutating func skip(_ count: UInt64) {
    let known = min(count, UInt64(words.count - used))
    used += Int(known)
    address &+= (count - known) &* 8
  }

  /// nil where there is none.
  mutating func next() -> UInt64? {
    if used == words.count { read() }
    guard used < words.count else { return nil }
    used += 1
    return words[used - 1]
  }

  /// As far as the page goes: what is behind it need not be there.
  private mutating func read() {
    let size = 4096 - Int(address % 4096)
    used = 0
    words = [UInt64](unsafeUninitializedCapacity: size / 8) { words, count in
      count = max(pread(memory, words.baseAddress, size, off_t(address)), 0) / 8
    }
    address += UInt64(words.count * 8)
  }
}
