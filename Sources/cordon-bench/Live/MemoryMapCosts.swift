import Cordon
import Glibc
import TrapEngine

/// What a session that follows the memory-map RFC's own calls costs code that makes none of them.
enum MemoryMapCosts {
  /// What it adds to an untrapped getppid, and what three calls about other memory take together; before there is a session,
  /// with one, and once memory is marked outside the session's own block.
  static func run() throws -> [String: Double] {
    let (getppidBefore, callsBefore) = (getppidNanoseconds(), threeCallsNanoseconds())
    let session = try Overhead.session(.seccomp, regions: 1, options: [.memoryMapCalls])
    let (getppidWith, callsWith) = (getppidNanoseconds(), threeCallsNanoseconds())
    let (filters, size, marked) = (session.statistics.filters, 4096, Int32(CORDON_PROT_NOSYSCALL))
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0), memory != MAP_FAILED,
      switchOn(at: memory) == 0, mprotect(memory, size, PROT_READ | PROT_EXEC | marked) == 0,
      session.statistics.filters == filters + 2
    else { throw LiveFailure("no memory was marked outside the session's block") }
    return [
      "overhead": getppidWith - getppidBefore, "overhead-marked-elsewhere": getppidNanoseconds() - getppidBefore,
      "calls-before": callsBefore, "calls": callsWith, "calls-marked-elsewhere": threeCallsNanoseconds(),
    ]
  }

  /// Has marks count: seccomp(2) with operation 4, by code that is placed there.
  private static func switchOn(at place: UnsafeMutableRawPointer) -> Int {
    // mov eax, 317; mov edi, 4; xor esi, esi; xor edx, edx; syscall; ret
    let code: [UInt8] = [0xb8, 0x3d, 1, 0, 0, 0xbf, 4, 0, 0, 0, 0x31, 0xf6, 0x31, 0xd2, 0x0f, 0x05, 0xc3]
    memcpy(place, code, code.count)
    return Overhead.call(UInt64(UInt(bitPattern: place)))
  }

  /// mmap, mprotect and munmap of two pages.
  private static func threeCallsNanoseconds() -> Double {
    let (size, flags, rounds) = (8192, MAP_PRIVATE | MAP_ANONYMOUS, 100)
    let samples = (0..<101).map { _ in
      let start = now()
      for _ in 0..<rounds {
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0)
        mprotect(memory, size, PROT_READ)
        munmap(memory, size)
      }
      return Double(now() - start) / Double(rounds)
    }
    return median(samples)
  }
}
