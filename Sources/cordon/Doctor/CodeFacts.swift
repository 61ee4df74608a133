import CLinux
import CordonComparator
import FilterCompiler
import Glibc
import SystemPackage

/// Facts about making and running code.
enum CodeFacts {
  static func all() -> [Fact] {
    [fixedPlace(), sharedMemory(), writtenFromOutside(), oldInterface(), clearedHandlers()]
  }

  /// MAP_FIXED_NOREPLACE (mmap(2)), tried where something lies: a kernel that does not know it maps elsewhere.
  private static func fixedPlace() -> Fact {
    let page = 4096
    let taken = mmap(nil, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    let found = mmap(taken, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | 0x10_0000, -1, 0)
    let isKnown = found == MAP_FAILED && errno == EEXIST
    munmap(taken, page)
    if let found, found != MAP_FAILED { munmap(found, page) }
    return .check(
      "memory.fixed_noreplace", "memory can be mapped at a place that is free", since: "4.17",
      value: "MAP_FIXED_NOREPLACE",
      reason: isKnown ? nil : "this kernel maps elsewhere instead", remedy: "use Linux 4.17 or later")
  }

  /// memfd_create(2).
  private static func sharedMemory() -> Fact {
    let made = "cordon-doctor".withCString {
      linux_call(Int(SYS_memfd_create), Int(bitPattern: $0), 1, 0, 0, 0, 0)
    }
    if made >= 0 { close(Int32(made)) }
    return .check(
      "memory.memfd", "memory can be shared by a descriptor", since: "3.17", value: "memfd_create",
      reason: made < 0 ? "the kernel answers \(Errno(rawValue: Int32(-made)))" : nil,
      remedy: "use Linux 3.17 or later, or allow memfd_create(2) in the container's profile")
  }

  /// /proc/PID/mem writes to memory that may only be read and executed (proc_pid_mem(5)), unless Linux 6.12 or later was
  /// told not to (proc_mem.force_override).
  private static func writtenFromOutside() -> Fact {
    let page = 4096
    let code = mmap(nil, page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    defer { munmap(code, page) }
    let file = open("/proc/self/mem", O_WRONLY | O_CLOEXEC)
    defer { if file >= 0 { close(file) } }
    var byte: UInt8 = 0xc3
    let isWritten = file >= 0 && pwrite(file, &byte, 1, off_t(Int(bitPattern: code))) == 1
    let refused = Errno(rawValue: errno)
    return .check(
      "process.mem", "code of other processes can be written", since: "2.6.39", value: "/proc/PID/mem",
      reason: isWritten ? nil : "the kernel answers \(refused)",
      remedy: "boot without proc_mem.force_override=never; `cordon run` puts its agent into programs so")
  }

  /// `int $0x80` in 64-bit code, tried in a child. A guest can use it where there is 32-bit emulation.
  private static func oldInterface() -> Fact {
    // mov eax, 20 (getpid of i386); int $0x80; ret
    let code: [UInt8] = [0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]
    let end: ForkedTrial.End
    do {
      let mapping = try CodeMapping(code)
      let call = unsafeBitCast(mapping.address, to: (@convention(c) () -> Int32).self)
      end = ForkedTrial.run { call() == getpid() ? 0 : 1 }
    } catch {
      return unknown
    }
    return .check(
      "host.int80", "32-bit calls by int $0x80", value: "filters see them as architecture i386",
      reason: end == .status(0) ? nil : "the kernel has no 32-bit emulation",
      remedy: "none is needed: no guest can use them")
  }

  private static let unknown = Fact(
    name: "host.int80", title: "32-bit calls by int $0x80", answer: .unknown,
    reason: "no code can be mapped to try them")

  /// clone3(2) with CLONE_CLEAR_SIGHAND, asked for with another flag that contradicts it: what the kernel knows it refuses
  /// with EINVAL, and does not make a child.
  private static func clearedHandlers() -> Fact {
    // struct clone_args: the flags (CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM), and zeros.
    var arguments: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (
      0x1_0000_0900, 0, 0, 0, 0, 0, 0, 0
    )
    let size = MemoryLayout.size(ofValue: arguments)
    let answer = withUnsafeMutablePointer(to: &arguments) { linux_call(435, Int(bitPattern: $0), size, 0, 0, 0, 0) }
    return .check(
      "process.clone3", "children can be made without signal handlers", since: "5.5",
      value: "clone3, CLONE_CLEAR_SIGHAND",
      reason: answer == -Int(EINVAL) ? nil : "the kernel answers \(Errno(rawValue: Int32(-answer)))",
      remedy: "none is needed: a program that cannot do it does without")
  }
}
