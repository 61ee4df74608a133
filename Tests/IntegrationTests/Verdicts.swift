import Cordon
import Glibc
import SystemPackage
import Testing

/// `mov eax, 39 (getpid); syscall; ret`
let getpidCode: [UInt8] = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3]

/// Calls code as a C function without arguments.
func call(_ address: UInt64) -> Int {
  typealias Function = @convention(c) () -> Int
  return unsafeBitCast(UInt(address), to: Function.self)()
}

@Test(arguments: ["seccomp", "sud-exclusive", "sud-selector", "sud-inclusive"])
func `a region's call is answered by the hook under every mechanism`(_ name: String) async {
  await #expect(processExitsWith: .exitCode(0)) { [name = name as String] in
    alarm(900)
    let session = try Session(mechanism: Mechanism(rawValue: name)!)
    let guest = try session.mapExecutable(getpidCode)
    nonisolated(unsafe) let verdict = UnsafeMutablePointer<Verdict>.allocate(capacity: 1)
    verdict.initialize(to: .value(4711))
    try session.setHook(
      TrapHook { trap in
        guard trap.number == 39, trap.region == guest, trap.instructionAddress == guest.range.start + 5 else {
          return .value(-1)
        }
        return verdict.pointee
      })
    try session.activate()
    #expect(call(guest.range.start) == 4711)
    verdict.pointee = .error(.permissionDenied)
    #expect(call(guest.range.start) == -13)
    verdict.pointee = .pass
    #expect(call(guest.range.start) == Int(getpid()))
    verdict.pointee = .redirect(to: UInt(guest.range.start + 7))
    #expect(call(guest.range.start) == 39)
    #expect(session.statistics.hooked == 4)
    exit(session.statistics.hooked == 4 ? 0 : 1)
  }
}
