import FilterCompiler
import SystemPackage
import TrapEngine

/// A trapped call about memory, in the kernel's terms.
struct MemoryCall {
  enum Number {
    static let mmap = 9
    static let mprotect = 10
    static let munmap = 11
    static let brk = 12
    static let mremap = 25
    static let shmat = 30
    static let shmctl = 31
    static let shmdt = 67
    static let prctl = 157
    static let remapFilePages = 216
    static let seccomp = 317
    static let pkeyMprotect = 329
  }

  let number: Int
  private(set) var arguments: [UInt64]
  /// Whether the memory is to be marked. The kernel is not told.
  let marks: Bool

  init(_ trap: CordonTrap) {
    number = Int(trap.number)
    let all = trap.arguments
    arguments = [all.0, all.1, all.2, all.3, all.4, all.5]
    switch number {
    case Number.mmap, Number.mprotect, Number.pkeyMprotect:
      marks = arguments[2] & UInt64(CORDON_PROT_NOSYSCALL) != 0
      arguments[2] &= ~UInt64(CORDON_PROT_NOSYSCALL)
    default: marks = false
    }
  }

  /// The int that an argument is to the kernel.
  func int(_ argument: Int) -> UInt32 { UInt32(truncatingIfNeeded: arguments[argument]) }

  /// The whole pages of so many bytes at an address; nil where there is none, and where that cannot be memory: the kernel
  /// refuses it then, or has nothing to do.
  func pages(_ address: Int, _ length: Int) -> AddressRange? {
    let (start, size) = (arguments[address], arguments[length])
    let end = Architecture.x86_64.userSpaceEnd
    guard start.isMultiple(of: Arena.page), size > 0, start < end, size <= end - start else { return nil }
    return try? AddressRange(start: start, end: start + PageMapping.pages(Int(size)))
  }

  /// Makes the call, from the gate; its result as the kernel returns it.
  func make() -> Int {
    let all = arguments.map { Int(bitPattern: UInt($0)) }
    return cordon_gate_call(number, all[0], all[1], all[2], all[3], all[4], all[5])
  }

  /// The same with other arguments.
  func replacing(_ arguments: (Int, UInt64)...) -> MemoryCall {
    var call = self
    for (index, value) in arguments { call.arguments[index] = value }
    return call
  }

  /// The same about the page above user space, where nothing is ever mapped: for what the kernel refuses such a call with.
  var movedToNothing: MemoryCall { replacing((0, Architecture.x86_64.userSpaceEnd - Arena.page)) }

  /// The pages that a segment of shared memory takes where shmat(2) puts it; nil where the kernel refuses that.
  var segmentPages: AddressRange? {
    // struct shmid_ds of asm/shmbuf.h: the size lies behind the permissions.
    let (status, sizeOffset, statusSize, rounds) = (2, 48, 112, UInt64(0x2000))  // IPC_STAT, SHM_RND
    let size = withUnsafeTemporaryAllocation(byteCount: statusSize, alignment: 8) { buffer -> UInt64 in
      let address = Int(bitPattern: buffer.baseAddress)
      let result = cordon_gate_call(Number.shmctl, Int(int(0)), status, address, 0, 0, 0)
      return result < 0 ? 0 : buffer.load(fromByteOffset: sizeOffset, as: UInt64.self)
    }
    let start = int(2) & UInt32(rounds) != 0 ? arguments[1] & ~(Arena.page - 1) : arguments[1]
    return replacing((0, start), (1, size)).pages(0, 1)
  }

  /// How many of the pages that it failed to protect are protected nevertheless: mprotect(2) goes on to the first that it
  /// must refuse. To protect them once more changes nothing, and fails just where it failed.
  func protectedPages(of range: AddressRange) -> UInt64 {
    var (done, failed) = (UInt64(0), range.length / Arena.page)
    while failed - done > 1 {
      let middle = (done + failed) / 2
      if replacing((1, middle * Arena.page)).make() == 0 { done = middle } else { failed = middle }
    }
    return done
  }
}

extension MemoryCall {
  /// Whether a result is a negated errno.
  static func isFailure(_ result: Int) -> Bool { result < 0 && result > -4096 }

  /// What a call fails with where the session could not follow it. Nothing has happened then.
  static func failure(_ error: SessionError) -> Int {
    switch error {
    case .memory(let errno), .filterRefused(let errno): -Int(errno.rawValue)
    case .region: -Int(Errno.invalidArgument.rawValue)
    default: -Int(Errno.resourceTemporarilyUnavailable.rawValue)
    }
  }
}
