import FilterCompiler
import Glibc
import Testing
import TrapEngine

/// A filter in force decides on real calls by where their instructions lie: this judges the shift from code
/// addresses to instruction pointers, which the judges that are given a pointer cannot.
@Suite struct FilterOnRealCallsTests {
  @Test func onlyInstructionsWhollyInsideAreCaught() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      let page: UInt64 = 0x1000
      let lowest = try lowestMappableAddress()
      let cases: [[(UInt64, UInt64)]] = [
        [(0x1234_5600_0000, 0x1234_5600_0800)],  // in the middle of 4 GiB
        [(0x1235_ffff_f000, 0x1236_0000_0000)],  // ends on a line
        [(0x1237_0000_0000, 0x1237_0000_0800)],  // starts on one
        [(0x1238_ffff_f800, 0x1239_0000_0800)],  // crosses one
        [(0x123a_0000_1000, 0x123a_0000_2000), (0x123a_0000_3000, 0x123a_0000_4000)],  // share a high word
        [(0x123b_0000_1000, 0x123b_0000_2000), (0x123b_0000_2000, 0x123b_0000_3000)],  // touch
        [(0x123c_0000_0100, 0x123c_0000_0102)],  // two bytes
        [(lowest, lowest + 0x800)],  // the lowest page that code can have
        [(0x7fff_ffff_e000, 0x7fff_ffff_e800)],  // the highest one
      ]
      let caller = try Caller()
      for ranges in cases { try ranges.forEach { try mapCode(around: $0, lowest: lowest) } }

      _ = cordon_engine_prepare()
      try #require(cordon_gate_call(157 /* prctl */, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0, 0) == 0)
      for ranges in cases {
        var map = RegionMap(default: .allow)
        for (start, end) in ranges { try map.insert(AddressRange(start: start, end: end), .errno(77)) }
        let instructions = try map.compile().instructions
        let loaded = instructions.withUnsafeBytes {
          cordon_seccomp_load($0.baseAddress, UInt16($0.count / 8), 0)
        }
        try #require(loaded == 0)
      }
      for ranges in cases {
        for (start, end) in ranges {
          for address in [start, start - 2, start - 1, end - 2, end - 1, end, start + 1] {
            // Below the lowest page nothing can lie.
            guard address >= lowest, address < 0x7fff_ffff_e000 + page - 3 else { continue }
            let inside = (0..<2).allSatisfy { byte in
              ranges.contains { $0.0 <= address + byte && address + byte < $0.1 }
            }
            let result = caller.getppid(at: address)
            #expect(result == (inside ? -77 : Int(getppid())), "an instruction at \(hexadecimal(address))")
            guard result == (inside ? -77 : Int(getppid())) else { exit(1) }
          }
        }
      }
      exit(0)
    }
  }
}

/// Makes a call whose `syscall` instruction lies at a chosen address.
private struct Caller {
  private typealias Function = @convention(c) (UInt) -> Int
  private let enter: Function

  init() throws {
    // mov eax, 110 (getppid); jmp rdi
    let code: [UInt8] = [0xb8, 110, 0, 0, 0, 0xff, 0xe7]
    let page = try #require(
      mmap(nil, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    page.copyMemory(from: code, byteCount: code.count)
    enter = unsafeBitCast(page, to: Function.self)
  }

  /// getppid(2) from an instruction at `address`, in code mapped by ``mapCode(around:lowest:)``.
  func getppid(at address: UInt64) -> Int {
    // syscall; ret
    let code: [UInt8] = [0x0f, 0x05, 0xc3]
    guard let place = UnsafeMutableRawPointer(bitPattern: UInt(address)) else { return 0 }
    place.copyMemory(from: code, byteCount: code.count)
    return enter(UInt(address))
  }
}

/// Maps the pages of a range, and one on either side where there can be one.
private func mapCode(around range: (start: UInt64, end: UInt64), lowest: UInt64) throws {
  let page: UInt64 = 4096
  let first = max(range.start / page * page - page, lowest)
  let last = min((range.end + 2 * page - 1) / page * page, 0x7fff_ffff_f000)
  let wanted = UnsafeMutableRawPointer(bitPattern: UInt(first))
  let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
  let mapped = mmap(wanted, Int(last - first), PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0)
  try #require(mapped == wanted, "\(hexadecimal(first)): errno \(errno)")
}

/// `vm.mmap_min_addr`.
private func lowestMappableAddress() throws -> UInt64 {
  let file = try #require(fopen("/proc/sys/vm/mmap_min_addr", "r"))
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 32)
  try #require(fgets(&line, 32, file) != nil)
  return UInt64(max(atoll(line), 4096))
}
