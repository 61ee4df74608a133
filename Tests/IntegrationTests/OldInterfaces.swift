import Cordon
import Glibc
import GuestCode
import Testing

/// Calls that are not an ordinary `syscall` with an ordinary number.
@Suite struct OldInterfaces {
  /// Number 20 is getpid there and writev here: passed through it must be the 32-bit call.
  @Test(arguments: mechanisms)
  func `int 0x80`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .call32)
      try guest.activate(for: .allThreads)
      let high = 0x5a5a_5a5a_0000_0000
      check(
        guest.call32(OldNumber.getpid | high, high | 1, high | 2, high | 3, high | 4, high | 5, high | 0xffff_fff0),
        Int(getpid()), "getpid")
      let trap = guest.log.raw.pointee.trap
      check(Int(trap.number), OldNumber.getpid, "the number")
      check(trap.architecture, 0x4000_0003, "the architecture")
      let arguments = trap.arguments
      check(
        [arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5], [1, 2, 3, 4, 5, 0xffff_fff0],
        "the arguments")
      check(trap.region, UInt32(guest.region(.call32).index), "the region")
      let site = UInt64(try #require(GuestTemplate.call32.code.firstRange(of: [0xcd, 0x80])?.lowerBound))
      check(trap.instruction_address, guest.address(.call32) + site, "the instruction")

      // Pointers there have 32 bits.
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      let low = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | mapLow, -1, 0)
      let memory = try #require(low != MAP_FAILED ? low : nil)
      memory.storeBytes(of: 0x6f6c_6c65_68, as: UInt64.self)
      check(guest.call32(OldNumber.write, Int(ends[1]), Int(bitPattern: memory), 5), 5, "write")
      var text = [UInt8](repeating: 0, count: 8)
      check(read(ends[0], &text, 8), 5, "read")
      check(Array(text.prefix(5)), Array("hello".utf8), "what was written")
      check(guest.call32(OldNumber.write, -1, Int(bitPattern: memory), 5), Int(-EBADF), "a failure")

      guest.log.answer(OldNumber.getuid, .error, Int(EPERM))
      check(guest.call32(OldNumber.getuid), Int(-EPERM), "an error by the hook")
      guest.log.answer(OldNumber.getuid, .value, -4711)
      check(guest.call32(OldNumber.getuid), -4711, "a value by the hook")
      check(guest.log.hooked, 5, "trapped calls")
      check(guest.call(20, -1, 0, 0), Int(-EBADF), "number 20 by syscall is still writev")
    }
  }

  @Test(arguments: mechanisms)
  func `numbers that are none`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      try guest.activate(for: .allThreads)
      // x32, minus one, beyond the table; the upper half of RAX is nobody's business.
      for number in [0x4000_0027, -1, 1000, 0x7fff_ffff, 0xdead_0000_0027, 0xdead_ffff_ffff] {
        let before = guest.log.hooked
        check(guest.call(number), nativeCall(number), "number \(number)")
        check(guest.log.hooked, before + 1, "trapped calls by number \(number)")
        check(guest.log.raw.pointee.trap.number, Int32(truncatingIfNeeded: number), "the number in the hook")
        check(guest.log.raw.pointee.trap.architecture, 0xc000_003e, "the architecture")
      }
      check(guest.call(0xdead_0000_0027), Int(getpid()), "getpid by a number with an upper half")
    }
  }

  /// The vsyscall page's calls are functions, and the address they report is the function's. Syscall user dispatch does
  /// not see them.
  @Test func `the vsyscall page`() async {
    guard linesOfFile("/proc/self/maps").contains(where: { $0.hasSuffix("[vsyscall]") }) else {
      print("vsyscalls are not tested here, since this kernel maps no vsyscall page")
      return
    }
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp", default: .trap)
      let page: UInt64 = 0xffff_ffff_ff60_0000
      guest.log.raw.pointee.guest_start = page
      guest.log.raw.pointee.guest_end = page + 4096
      try guest.activate(for: .allThreads)

      typealias Time = @convention(c) (UnsafeMutablePointer<Int>?) -> Int
      let timeOfPage = unsafeBitCast(UInt(page + 0x400), to: Time.self)
      let before = time(nil)
      var stored = 0
      let found = timeOfPage(&stored)
      #expect(before <= found && found <= secondsNow(), "time() by the vsyscall page")
      check(stored, found, "what time() stored")
      check(guest.log.hooked, 1, "trapped calls")
      let trap = guest.log.raw.pointee.trap
      check(trap.number, 201, "the number")
      check(trap.instruction_address, page + 0x400, "the instruction")
      check(trap.region, UInt32.max, "the region")

      guest.log.answer(201, .value, 4711)
      check(timeOfPage(nil), 4711, "time() answered by the hook")

      typealias TimeOfDay = @convention(c) (UnsafeMutablePointer<timeval>?, UnsafeMutableRawPointer?) -> Int
      var now = timeval()
      check(unsafeBitCast(UInt(page), to: TimeOfDay.self)(&now, nil), 0, "gettimeofday()")
      #expect(before <= now.tv_sec && now.tv_sec <= secondsNow(), "the time of day")
      check(guest.log.raw.pointee.trap.number, 96, "its number")
      check(guest.log.raw.pointee.trap.instruction_address, page, "its instruction")
      check(guest.log.hooked, 3, "trapped calls")
    }
  }
}

/// Not by time(3), which is late by up to a tick of the kernel's.
private func secondsNow() -> Int {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return now.tv_sec
}

/// MAP_32BIT: below 2 GiB.
private let mapLow: Int32 = 0x40
